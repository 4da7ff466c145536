// A scale set from the golden image, which takes each new version of it by itself.
//
//   az deployment group create --resource-group shop --template-file scale-set.bicep --parameters \
//     imageId=… subnetId=… vaultName=contoso-shop environment=prod sshPublicKey="$(cat ~/.ssh/id_rsa.pub)"

@description('The image definition in the gallery, without a version: upgrades need that.')
param imageId string

@description('The subnet that the machines join.')
param subnetId string

@description('The Key Vault with the secrets that userData or the image names.')
param vaultName string

@description('The tag that picks an entry of `environments` in the image.')
param environment string

@description('The port on which a healthy machine answers: `web.port` of the configuration.')
param healthPort int = 8443

param sshPublicKey string
param name string = 'shop'
param location string = resourceGroup().location
param size string = 'Standard_D2s_v5'
param adminUsername string = 'azureuser'
param instances int = 3

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

resource machines 'Microsoft.Compute/virtualMachineScaleSets@2024-07-01' = {
  name: name
  location: location
  dependsOn: [access] // the role, before the first boot asks for a secret
  // Machines that run see a changed tag after a reboot or a reimage only.
  tags: {
    environment: environment
  }
  sku: {
    name: size
    capacity: instances
  }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    orchestrationMode: 'Uniform'
    overprovision: false
    upgradePolicy: {
      mode: 'Rolling'
      automaticOSUpgradePolicy: {
        enableAutomaticOSUpgrade: true
        disableAutomaticRollback: false
      }
      rollingUpgradePolicy: {
        maxBatchInstancePercent: 20
        maxUnhealthyInstancePercent: 20
        maxUnhealthyUpgradedInstancePercent: 20
        pauseTimeBetweenBatches: 'PT1M'
      }
    }
    virtualMachineProfile: {
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
        computerNamePrefix: name
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
        networkInterfaceConfigurations: [
          {
            name: 'primary'
            properties: {
              primary: true
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
        ]
      }
      extensionProfile: {
        extensions: [
          {
            // A machine that could not be configured never starts the application, so it never
            // answers here: the upgrade stops after one batch instead of taking all machines.
            name: 'health'
            properties: {
              publisher: 'Microsoft.ManagedServices'
              type: 'ApplicationHealthLinux'
              typeHandlerVersion: '1.0'
              autoUpgradeMinorVersion: true
              settings: {
                protocol: 'tcp'
                port: healthPort
              }
            }
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
}

output scaleSetId string = machines.id
