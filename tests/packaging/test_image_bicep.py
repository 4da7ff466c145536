"""The Bicep recipes, as far as they can be read without Bicep's compiler.

A grammar reads them; what they say of machines and networks is held against the models of
Microsoft's own clients, which are made from the same definitions as the service.
"""

import base64
import enum
import re
import typing
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from bootstrap.config.userdata import decode

CHECKOUT = Path(__file__).parents[2]
RECIPES = CHECKOUT / "packaging" / "image"
FILES = sorted(path.relative_to(RECIPES).as_posix() for path in RECIPES.glob("*/*.bicep"))
IMAGE = CHECKOUT / "templates" / "image"

# The versions that Bicep's own type index has, and what each resource may say at its top.
# https://github.com/Azure/bicep-types-az/tree/main/generated
KNOWN = {
    "Microsoft.Authorization/policyAssignments@2023-04-01": {"name", "location", "identity"},
    "Microsoft.Authorization/policyDefinitions@2023-04-01": {"name"},
    "Microsoft.Authorization/roleAssignments@2022-04-01": {"name", "scope"},
    "Microsoft.Compute/virtualMachineScaleSets@2024-07-01": {"VirtualMachineScaleSet"},
    "Microsoft.Compute/virtualMachines@2024-07-01": {"VirtualMachine"},
    "Microsoft.KeyVault/vaults@2023-07-01": {"name"},
    "Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31": {"name", "location"},
    "Microsoft.Network/networkInterfaces@2023-11-01": {"NetworkInterface"},
}
PROPERTIES = {
    "policyAssignments": {"displayName", "policyDefinitionId", "parameters"},
    "roleAssignments": {"roleDefinitionId", "principalId", "principalType"},
}
# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
ROLES = {
    "bicep/identity.bicep": "4633458b-17de-408a-b874-0445c86b69e6",  # Key Vault Secrets User
    "policy/assign.bicep": "b24988ac-6180-42a0-ab88-20f7382dd24c",  # Contributor
}
FUNCTIONS = {
    *("deployment", "description", "guid", "loadFileAsBase64", "loadJsonContent"),
    *("resourceGroup", "subscription", "subscriptionResourceId"),
}


class Expression(str):
    """What only a deployment can know, as it is written."""

    __slots__ = ()


class Template:
    """One Bicep file: its declarations by kind, and the names that its expressions use."""

    def __init__(self, text):
        import tree_sitter
        import tree_sitter_bicep as grammar

        parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
        tree = parser.parse(text.encode())
        assert not tree.root_node.has_error, "it does not parse"
        self.text = text
        self.parameters, self.variables, self.resources, self.modules = {}, {}, {}, {}
        self.used, self.called = set(), set()
        for node in tree.root_node.children:
            self._declare(node)

    def _declare(self, node):
        name, *rest = [one for one in node.named_children if one.type != "comment"] or [None]
        if node.type == "parameter_declaration":
            self.parameters[word(name)] = rest[1:] != []
        elif node.type == "variable_declaration":
            self.variables[word(name)] = read(rest[0])
        elif node.type in {"resource_declaration", "module_declaration"}:
            kept = self.resources if node.type.startswith("resource") else self.modules
            exists = any(one.type == "existing" for one in node.children)
            kept[word(name)] = (read(rest[0]), read(rest[1]), exists)
        for one in rest or node.named_children:
            self._names(one)

    def _names(self, node):
        children = node.named_children
        if node.type == "identifier":
            self.used.add(word(node))
        elif node.type == "call_expression" and children[0].type == "identifier":
            self.called.add(word(children[0]))
            children = children[1:]
        elif node.type == "object_property" and children[0].type == "identifier":
            children = children[1:]
        for one in children:
            self._names(one)


def word(node):
    return node.text.decode()


def read(node):
    """The value that a node stands for: what is not plain becomes an Expression."""
    parts = [one for one in node.named_children if one.type != "comment"]
    if node.type == "object":
        pairs = [[one for one in part.named_children if one.type != "comment"] for part in parts]
        keys = [word(key) if key.type == "identifier" else read(key) for key, _ in pairs]
        assert len(keys) == len(set(keys)), f"a key stands twice among {keys}"
        return {key: read(value) for key, (_, value) in zip(keys, pairs, strict=True)}
    if node.type == "array":
        return [read(part) for part in parts]
    if node.type == "string" and all(part.type == "string_content" for part in parts):
        return "".join(map(word, parts))
    if node.type in {"number", "boolean"}:
        return {"true": True, "false": False}.get(word(node)) or yaml.safe_load(word(node))
    return Expression(word(node))


def check(name, text):
    """Every rule that a recipe must keep; fails at the first that it does not."""
    template = Template(text)
    declared = template.parameters | template.variables | template.resources | template.modules
    assert template.used <= set(declared) | {"targetScope"}, template.used - set(declared)
    assert template.called <= FUNCTIONS
    assert set(template.parameters) <= template.used, "a parameter is asked for in vain"
    for kind, body, exists in template.resources.values():
        check_resource(kind, body, exists=exists)
    for path, body, _ in template.modules.values():
        module = Template((RECIPES / name).with_name(path).read_text())
        needed = {one for one, optional in module.parameters.items() if not optional}
        assert needed <= set(body["params"]) <= set(module.parameters)
    shown = re.findall(r'(\w+)=[…\w"]', text.partition("\n\n")[0])
    if shown:  # the command at the top gives what has no default
        needed = {one for one, optional in template.parameters.items() if not optional}
        assert set(shown) == needed, f"the command at the top gives {shown}"
    roles = re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text)
    assert roles == [ROLES[name]] if name in ROLES else roles == []
    for path in re.findall(r"loadFileAsBase64\('([^']+)'\)", text):
        document = (RECIPES / name).parent / path
        assert decode(base64.b64encode(document.read_bytes()).decode()).kind == "document"


def check_resource(kind, body, *, exists):
    """A resource's version is known, and so is each property of it."""
    assert kind in KNOWN
    allowed = KNOWN[kind]
    simple = kind.partition("/")[2].partition("@")[0]
    if exists:
        assert set(body) == {"name"}
    elif len(allowed) == 1 and (model := next(iter(allowed)))[0].isupper():
        room = kind.partition("/")[0].removeprefix("Microsoft.").lower()
        models = import_module(f"azure.mgmt.{room}.models")
        body = {key: value for key, value in body.items() if key != "dependsOn"}
        conforms(body, getattr(models, model), models, model)
    else:
        assert set(body) - {"properties", "dependsOn"} == allowed & set(body)
        if isinstance(body.get("properties"), dict):
            assert set(body["properties"]) <= PROPERTIES[simple]


def conforms(value, wanted, models, path):
    """Whether `value` is what the client's model says; the message names the place."""
    wanted = resolved(wanted, models)
    kind, options = typing.get_origin(wanted), typing.get_args(wanted)
    if isinstance(value, Expression):
        return
    if kind is typing.Union:
        words = [one for one in options if isinstance(one, enum.EnumMeta)]
        assert not words or value in {one.value for one in words[0]}, f"{path}: {value!r}"
        conforms(value, options[0], models, path)
    elif kind is list:
        assert isinstance(value, list), path
        for number, one in enumerate(value):
            conforms(one, options[0], models, f"{path}[{number}]")
    elif kind is dict:
        for key, one in value.items():
            conforms(one, options[1], models, f"{path}.{key}")
    elif wanted.__module__.startswith(models.__name__):
        for key, one in value.items():
            conforms(one, field(wanted, key, models, path), models, f"{path}.{key}")
    elif wanted in {str, bool, int}:
        assert type(value) is wanted, f"{path}: {value!r}"


def resolved(wanted, models):
    """Python 3.10 leaves the name in `list["_models.Name"]` as it is."""
    return getattr(models, wanted.rpartition(".")[2]) if isinstance(wanted, str) else wanted


def field(model, key, models, path):
    """The type of what a model calls `key` on the wire."""
    model()  # its fields get their wire names when the first one is made
    fields = {one._rest_name: name for name, one in model._attr_to_rest_field.items()}
    assert key in fields, f"{path}: there is no {key}"
    return typing.get_type_hints(model, localns={"_models": models, "_types": models})[fields[key]]


def recipe(name):
    return (RECIPES / name).read_text()


@pytest.mark.parametrize("name", FILES)
def test_recipe_keeps_the_rules(name):
    """It parses, uses what it declares, and says nothing that Azure's own models do not know."""
    check(name, recipe(name))


def test_all_recipes_are_here():
    """A recipe that is moved is not silently unchecked."""
    names = {"bicep/identity.bicep", "bicep/scale-set.bicep", "bicep/vm.bicep"}
    assert set(FILES) == names | {"policy/assign.bicep"}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("bicep/vm.bicep", "    userData: ", "    userdata: "),
        ("bicep/vm.bicep", "vmSize: size", "size: size"),
        ("bicep/vm.bicep", "'FromImage'", "'FromImages'"),
        ("bicep/vm.bicep", "type: 'UserAssigned'", "type: 'User'"),
        ("bicep/vm.bicep", "disablePasswordAuthentication: true", "disablePasswordLogin: true"),
        ("bicep/vm.bicep", "virtualMachines@2024-07-01", "virtualMachines@2024-07-02"),
        ("bicep/vm.bicep", "shop.yaml')", "cloud-config.yaml')"),
        ("bicep/vm.bicep", "shop.yaml')", "missing.yaml')"),
        ("bicep/vm.bicep", "id: nic.id", "id: card.id"),
        ("bicep/vm.bicep", "    vaultName: vaultName\n", ""),
        ("bicep/vm.bicep", "    vaultName: vaultName", "    vault: vaultName"),
        ("bicep/vm.bicep", "imageId=…", "image=…"),
        ("bicep/vm.bicep", "      vmSize: size\n", "      vmSize: size\n      vmSize: size\n"),
        ("bicep/vm.bicep", "            id: subnetId", "            name_: subnetId"),
        ("bicep/scale-set.bicep", "      userData: ", "      customdata: "),
        ("bicep/scale-set.bicep", "capacity: instances", "capacity: '3'"),
        ("bicep/scale-set.bicep", "mode: 'Rolling'", "mode: 'Gentle'"),
        ("bicep/scale-set.bicep", "maxBatchInstancePercent: 20", "maxBatchInstancePercent: '20'"),
        ("bicep/scale-set.bicep", "enableAutomaticOSUpgrade: true", "enableUpgrade: true"),
        ("bicep/scale-set.bicep", "port: healthPort", "port: 8443"),
        ("bicep/identity.bicep", "4633458b-17de", "4633458b-17df"),
        ("bicep/identity.bicep", "principalId: identity", "principal: identity"),
        ("bicep/identity.bicep", "subscriptionResourceId(", "roleDefinition("),
        ("policy/assign.bicep", "b24988ac", "b24988ad"),
        ("policy/assign.bicep", "policyDefinitionId", "definitionId"),
        ("policy/assign.bicep", "var definition = ", "var definition == "),
    ],
)
def test_a_wrong_recipe_is_noticed(name, old, new):
    """Each rule is there: what breaks it is found."""
    text = recipe(name)
    assert old in text
    with pytest.raises((AssertionError, OSError)):
        check(name, text.replace(old, new, 1))


def test_userdata_stands_where_the_service_reads_it():
    """A VM has it among its properties, a scale set in the profile of its machines."""
    ((*_, machine, _),) = [
        one for one in Template(recipe("bicep/vm.bicep")).resources.values() if "Machines" in one[0]
    ]
    ((*_, scale_set, _),) = [
        one
        for one in Template(recipe("bicep/scale-set.bicep")).resources.values()
        if "ScaleSets" in one[0]
    ]
    wanted = "loadFileAsBase64('../userdata/shop.yaml')"
    assert machine["properties"]["userData"] == wanted
    assert scale_set["properties"]["virtualMachineProfile"]["userData"] == wanted


def test_the_image_takes_the_tags():
    """The tags of the recipes are those that the image's settings listen to."""
    settings = yaml.safe_load((IMAGE / "agent.yaml").read_text())["tags"]
    for name in ("bicep/vm.bicep", "bicep/scale-set.bicep"):
        (tags,) = [
            body["tags"]
            for _, body, _ in Template(recipe(name)).resources.values()
            if "tags" in body
        ]
        assert tags[settings["environment"]] == "environment"
        paths = {tag.removeprefix(settings["prefix"]) for tag in tags} - {settings["environment"]}
        assert paths <= set(settings["paths"])


def test_health_is_asked_where_the_image_listens():
    """The port of the health check is the one that the image's documents set."""
    values = yaml.safe_load((IMAGE / "config.d" / "10-shop.yaml").read_text())["values"]
    asked = re.search(r"param healthPort int = (\d+)", recipe("bicep/scale-set.bicep"))[1]
    assert int(asked) == values["web"]["port"]
