// The definition beside this file, assigned to a subscription that holds one environment.
//
//   az deployment sub create --location westeurope --template-file assign.bicep \
//     --parameters environment=prod
//
// New machines get the tag as they are created. For those that exist, afterwards:
//
//   az policy remediation create --name environment-tag --policy-assignment environment-tag

targetScope = 'subscription'

@description('An entry of `environments` in the image, such as prod.')
param environment string

@description('Where the identity of the assignment lives.')
param location string = deployment().location

var definition = loadJsonContent('definition.json').properties

// The role that the definition names: what a remediation task acts with.
var contributor = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  'b24988ac-6180-42a0-ab88-20f7382dd24c'
)

resource policy 'Microsoft.Authorization/policyDefinitions@2023-04-01' = {
  name: 'environment-tag'
  properties: definition
}

resource assignment 'Microsoft.Authorization/policyAssignments@2023-04-01' = {
  name: 'environment-tag'
  location: location
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    displayName: 'Environment of the machines: ${environment}'
    policyDefinitionId: policy.id
    parameters: {
      environment: {
        value: environment
      }
    }
  }
}

resource right 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, assignment.id, contributor)
  properties: {
    roleDefinitionId: contributor
    principalId: assignment.identity.principalId
    principalType: 'ServicePrincipal'
  }
}
