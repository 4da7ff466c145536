// The identity that machines read their secrets with, and its right to read them.
//
// It is user-assigned and made before the machines: a role takes minutes to spread, and a machine
// whose own, system-assigned identity gets it after the machine was created meets 403 on its first
// boot. The agent bears that for `vaults.grace` seconds, but a scale set need not wait each time.

@description('The Key Vault with the secrets, in this resource group, with Azure RBAC enabled.')
param vaultName string

@description('The name of the identity.')
param name string

param location string = resourceGroup().location

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/security
var keyVaultSecretsUser = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  '4633458b-17de-408a-b874-0445c86b69e6'
)

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: vaultName
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, identity.id, keyVaultSecretsUser)
  scope: vault
  properties: {
    roleDefinitionId: keyVaultSecretsUser
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}
