"""The Azure Policy recipe: its form, and what its rule does to resources.

The form is a strict subset of the published structure of policy definitions:
https://learn.microsoft.com/azure/governance/policy/concepts/definition-structure-basics
"""

import copy
import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

CHECKOUT = Path(__file__).parents[2]
RECIPE = CHECKOUT / "packaging" / "image" / "policy"
IMAGE = CHECKOUT / "templates" / "image"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"  # what the built-in tag policies act with


def thing(**properties):
    """The schema of an object that has these properties and no others."""
    required = sorted(properties)
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


TEXT = {"type": "string", "minLength": 1}
PARAMETER = {
    **thing(type={"const": "String"}, metadata=thing(displayName=TEXT, description=TEXT)),
    "properties": {
        "type": {"const": "String"},
        "metadata": thing(displayName=TEXT, description=TEXT),
        "defaultValue": TEXT,
        "allowedValues": {"type": "array", "items": TEXT, "minItems": 1, "uniqueItems": True},
    },
}
CONDITION = {
    "type": "object",
    "properties": {
        "field": TEXT,
        "in": {"type": "array", "items": TEXT, "minItems": 1},
        "notEquals": TEXT,
    },
    "required": ["field"],
    "minProperties": 2,
    "maxProperties": 2,
    "additionalProperties": False,
}
OPERATION = thing(operation={"enum": ["add", "addOrReplace"]}, field=TEXT, value=TEXT)
ROLE = {
    "type": "string",
    "pattern": "^/providers/Microsoft.Authorization/roleDefinitions/[0-9a-f-]{36}$",
}
FORM = thing(
    properties=thing(
        displayName={**TEXT, "maxLength": 128},
        policyType={"const": "Custom"},
        mode={"const": "Indexed"},  # only what has tags and a location; right for tags
        description={**TEXT, "maxLength": 512},
        metadata=thing(category={"const": "Tags"}, version={"pattern": r"^\d+\.\d+\.\d+$"}),
        parameters={"type": "object", "additionalProperties": PARAMETER},
        policyRule=thing(
            **{
                "if": thing(allOf={"type": "array", "items": CONDITION, "minItems": 1}),
                "then": thing(
                    effect=TEXT,
                    details=thing(
                        roleDefinitionIds={"type": "array", "items": ROLE, "minItems": 1},
                        operations={"type": "array", "items": OPERATION, "minItems": 1},
                    ),
                ),
            }
        ),
    )
)
FUNCTIONS = {"concat", "parameters"}


@pytest.fixture
def definition():
    return json.loads((RECIPE / "definition.json").read_text())


def check(definition):
    """Every rule that a definition must keep; fails at the first that it does not."""
    jsonschema.Draft202012Validator(FORM).validate(definition)
    properties = definition["properties"]
    parameters = properties["parameters"]
    rule = json.dumps(properties["policyRule"])
    assert set(re.findall(r"parameters\('(\w+)'\)", rule)) == set(parameters)
    assert set(re.findall(r"\b(\w+)\(", rule)) <= FUNCTIONS
    for text in re.findall(r'"(\[.*?)"', rule):
        assert not text.startswith("[c") or text.endswith("]"), text
    effect = evaluated(properties["policyRule"]["then"]["effect"], defaults(properties))
    assert effect == "Modify"
    for parameter in parameters.values():
        default = parameter.get("defaultValue")
        assert default is None or default in parameter.get("allowedValues", [default])


def defaults(properties, **given):
    """The values of all parameters, as an assignment gives them."""
    found = {key: one.get("defaultValue") for key, one in properties["parameters"].items()}
    return {**found, **given}


def evaluated(text, parameters):
    """What a template expression stands for; of the language only what the recipe uses."""
    if not text.startswith("["):
        return text
    assert text.endswith("]"), f"{text}: the bracket is not closed"
    inner = text[1:-1]
    if concatenated := re.fullmatch(r"concat\((.*)\)", inner):
        parts = re.findall(r"'[^']*'|parameters\('\w+'\)", concatenated[1])
        assert ", ".join(parts) == concatenated[1], f"{text}: this is no list of arguments"
        return "".join(evaluated(f"[{part}]", parameters) for part in parts)
    if named := re.fullmatch(r"parameters\('(\w+)'\)", inner):
        return parameters[named[1]]
    assert re.fullmatch(r"'[^']*'", inner), f"{text}: unknown"
    return inner[1:-1]


def applied(definition, resource, **given):
    """The tags that a resource has once the policy has seen it."""
    properties = definition["properties"]
    parameters = defaults(properties, **given)
    tags = {key.casefold(): (key, value) for key, value in resource["tags"].items()}

    def of(text):
        name = evaluated(text, parameters)
        if tag := re.fullmatch(r"tags\[(.+)\]", name):
            return tags.get(tag[1].casefold(), (None, None))[1]
        return resource[name]

    for condition in properties["policyRule"]["if"]["allOf"]:
        value = of(condition["field"])
        if "in" in condition and value not in condition["in"]:
            return resource["tags"]
        # Azure: a tag that is not there is not equal to any value.
        if "notEquals" in condition and value == evaluated(condition["notEquals"], parameters):
            return resource["tags"]
    result = dict(resource["tags"])
    for operation in properties["policyRule"]["then"]["details"]["operations"]:
        name = re.fullmatch(r"tags\[(.+)\]", evaluated(operation["field"], parameters))[1]
        result[tags.get(name.casefold(), (name,))[0]] = evaluated(operation["value"], parameters)
    return result


def test_the_definition_has_the_published_form(definition):
    """Nothing is missing, nothing is unknown, and every parameter is declared and used."""
    check(definition)


def change(path, value):
    """A change of the definition: the place with dots, and what comes there (None: nothing)."""

    def make(definition):
        *above, last = path.split(".")
        for key in above:
            definition = definition[int(key) if key.isdecimal() else key]
        if value is None:
            del definition[last]
        else:
            definition[last] = value

    return make


WRONG = {
    "mode-all": change("properties.mode", "All"),
    "no-mode": change("properties.mode", None),
    "unknown-key": change("properties.polciyRule", {}),
    "no-roles": change("properties.policyRule.then.details.roleDefinitionIds", []),
    "bare-role": change("properties.policyRule.then.details.roleDefinitionIds", [CONTRIBUTOR]),
    "no-operations": change("properties.policyRule.then.details.operations", None),
    "replace": change("properties.policyRule.then.details.operations.0.operation", "replace"),
    "audit": change("properties.policyRule.then.effect", "audit"),
    "disabled": change("properties.parameters.effect.defaultValue", "Disabled"),
    "default-not-allowed": change("properties.parameters.effect.defaultValue", "modify"),
    "undeclared": change("properties.policyRule.if.allOf.1.notEquals", "[parameters('env')]"),
    "unused": change("properties.policyRule.if.allOf.1.notEquals", "prod"),
    "unknown-function": change("properties.policyRule.if.allOf.1.notEquals", "[upper('x')]"),
    "two-tests": change("properties.policyRule.if.allOf.0.notEquals", "x"),
    "long-name": change("properties.displayName", "x" * 129),
    "parameter-type": change("properties.parameters.environment.type", "Text"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_definition_is_noticed(name, definition):
    """What Azure would refuse, or what would do something else, is found."""
    wrong = copy.deepcopy(definition)
    WRONG[name](wrong)
    assert wrong != definition
    if name == "unused":
        wrong["properties"]["parameters"]["more"] = wrong["properties"]["parameters"]["tagName"]
    with pytest.raises((AssertionError, jsonschema.ValidationError)):
        check(wrong)


MACHINES = ["Microsoft.Compute/virtualMachines", "Microsoft.Compute/virtualMachineScaleSets"]


@pytest.mark.parametrize("kind", MACHINES)
@pytest.mark.parametrize("tags", [{}, {"team": "web"}, {"environment": "test"}])
def test_a_machine_gets_the_tag(definition, kind, tags):
    """Whatever it was called before, it is prod afterwards, and keeps its other tags."""
    resource = {"type": kind, "tags": tags}
    assert applied(definition, resource, environment="prod") == {**tags, "environment": "prod"}


def test_no_second_tag_appears(definition):
    """A tag that is written in other letters is the same tag."""
    resource = {"type": MACHINES[0], "tags": {"Environment": "test"}}
    assert applied(definition, resource, environment="prod") == {"Environment": "prod"}


def test_other_resources_are_left_alone(definition):
    """A disk has an environment tag of whoever made it."""
    resource = {"type": "Microsoft.Compute/disks", "tags": {}}
    assert applied(definition, resource, environment="prod") == {}


def test_the_agent_reads_this_tag(definition):
    """The tag that the policy sets is the one that the image's settings name."""
    named = yaml.safe_load((IMAGE / "agent.yaml").read_text())["tags"]["environment"]
    assert definition["properties"]["parameters"]["tagName"]["defaultValue"] == named


def test_the_assignment_gives_what_the_definition_asks_for(definition):
    """Its identity gets the role that the definition names, and each needed parameter is given."""
    text = (RECIPE / "assign.bicep").read_text()
    (role,) = definition["properties"]["policyRule"]["then"]["details"]["roleDefinitionIds"]
    assert role.rpartition("/")[2] == CONTRIBUTOR
    assert CONTRIBUTOR in text
    parameters = definition["properties"]["parameters"]
    needed = [name for name, one in parameters.items() if "defaultValue" not in one]
    given = re.search(r"parameters: \{\n(.*?)\n    \}", text, re.DOTALL)[1]
    assert re.findall(r"^      (\w+): \{", given, re.MULTILINE) == needed
    assert "loadJsonContent('definition.json').properties" in text
