from __future__ import annotations

import pytest

from bootstrap.errors import SettingsError
from bootstrap.identity.identity_id import KINDS, OWN, Selector
from bootstrap.settings import IdentitySettings


@pytest.mark.parametrize("kind", KINDS)
def test_an_identity_is_chosen_by_one_of_three_names(kind):
    """The settings and the spelling of `vaults.identities` lead to the same selector."""
    selector = Selector(kind, "a=b")
    assert Selector.parse(f" {kind} = a=b ") == selector
    assert Selector.chosen(IdentitySettings(**{kind: "a=b"})) == selector
    assert str(selector) == f"{kind}=a=b"


def test_without_a_name_it_is_the_machines_own():
    """Nothing chosen is a choice too."""
    assert Selector.parse("") == Selector.chosen(IdentitySettings()) == Selector() == OWN
    assert str(OWN) == ""


@pytest.mark.parametrize("text", ["client_id", "client_id=", "=x", "name=x", "x", "Client_Id=x"])
def test_anything_else_chooses_nothing(text):
    """A name that the service does not know is refused before it is asked."""
    with pytest.raises(SettingsError) as caught:
        Selector.parse(text)
    assert "client_id=…, object_id=…, msi_res_id=…" in caught.value.hint


def test_two_names_are_not_one_choice():
    """The service takes one selector at most; the error names the settings to choose from."""
    with pytest.raises(SettingsError, match=r"identity\.client_id and identity\.msi_res_id"):
        Selector.chosen(IdentitySettings(client_id="a", msi_res_id="b"))
