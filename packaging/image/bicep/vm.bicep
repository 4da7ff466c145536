// One machine from the golden image.
//
//   az deployment group create --resource-group shop --template-file vm.bicep --parameters \
//     imageId=… subnetId=… vaultName=contoso-shop environment=test sshPublicKey="$(cat ~/.ssh/id_rsa.pub)"

@description('The image definition in the gallery; without a version it is the latest one.')
param imageId string

@description('The subnet that the machine joins.')
param subnetId string

@description('The Key Vault with the secrets that userData or the image names.')
param vaultName string

@description('The tag that picks an entry of `environments` in the image.')
param environment string

param sshPublicKey string
param name string = 'shop'
param location string = resourceGroup().location
param size string = 'Standard_D2s_v5'
param adminUsername string = 'azureuser'

module access 'identity.bicep' = {
  name: '${name}-identity'
  params: {
    name: '${name}-identity'
    vaultName: vaultName
    location: location
  }
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' existing = {
  name: '${name}-identity'
}

resource nic 'Microsoft.Network/networkInterfaces@2023-11-01' = {
  name: '${name}-nic'
  location: location
  properties: {
    ipConfigurations: [
      {
        name: 'primary'
        properties: {
          subnet: {
            id: subnetId
          }
        }
      }
    ]
  }
}

resource machine 'Microsoft.Compute/virtualMachines@2024-07-01' = {
  name: name
  location: location
  dependsOn: [access] // the role, before the first boot asks for a secret
  tags: {
    environment: environment
    'config:web.port': '8443' // a tag sets one value, where the image's agent.yaml allows it
  }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    hardwareProfile: {
      vmSize: size
    }
    storageProfile: {
      imageReference: {
        id: imageId
      }
      osDisk: {
        createOption: 'FromImage'
        managedDisk: {
          storageAccountType: 'Premium_LRS'
        }
      }
    }
    osProfile: {
      computerName: name
      adminUsername: adminUsername
      linuxConfiguration: {
        disablePasswordAuthentication: true
        ssh: {
          publicKeys: [
            {
              path: '/home/${adminUsername}/.ssh/authorized_keys'
              keyData: sshPublicKey
            }
          ]
        }
      }
    }
    networkProfile: {
      networkInterfaces: [
        {
          id: nic.id
        }
      ]
    }
    diagnosticsProfile: {
      bootDiagnostics: {
        enabled: true // the serial console, where the agent says what it does
      }
    }
    userData: loadFileAsBase64('../userdata/shop.yaml')
  }
}

output machineId string = machine.id
