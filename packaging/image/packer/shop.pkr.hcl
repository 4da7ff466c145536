# A golden image for the example application "shop": Debian 12 with imds-bootstrap, the image's own
# documents and templates, published as a version of an image definition in a Compute Gallery.
# The values are in example.pkrvars.hcl; ../README.md has the commands.

packer {
  required_plugins {
    azure = {
      source  = "github.com/hashicorp/azure"
      version = ">= 2.0.0, < 3.0.0"
    }
  }
}

variable "subscription_id" {
  type        = string
  description = "Where the image is built, and where the gallery is."
}

variable "resource_group" {
  type        = string
  description = "The resource group of the gallery."
}

variable "gallery" {
  type        = string
  description = "The Compute Gallery. It must exist, and so must the image definition."
}

variable "image_definition" {
  type        = string
  description = "The image definition: Linux, generalized, generation 2."
  default     = "shop"
}

variable "image_version" {
  type        = string
  description = "The version to publish: three numbers, such as 1.0.0."
}

variable "location" {
  type    = string
  default = "westeurope"
}

variable "package" {
  type        = string
  description = "The package, as `make packages` leaves it in dist/."
}

variable "configuration" {
  type        = string
  description = "The folder that becomes /etc/imds-bootstrap; begin with a copy of templates/image."
}

source "azure-arm" "shop" {
  use_azure_cli_auth = true
  subscription_id    = var.subscription_id
  location           = var.location
  vm_size            = "Standard_D2s_v5"

  os_type         = "Linux"
  image_publisher = "Debian"
  image_offer     = "debian-12"
  image_sku       = "12-gen2"

  shared_image_gallery_destination {
    subscription   = var.subscription_id
    resource_group = var.resource_group
    gallery_name   = var.gallery
    image_name     = var.image_definition
    image_version  = var.image_version

    # One block for each region in which machines are made from it.
    target_region {
      name = var.location
    }
  }
}

build {
  sources = ["source.azure-arm.shop"]

  # cloud-init still owns the new machine, and perhaps the lock of apt.
  provisioner "shell" {
    inline = ["cloud-init status --wait", "mkdir -p /tmp/imds-bootstrap/configuration"]
  }

  provisioner "file" {
    source      = var.package
    destination = "/tmp/imds-bootstrap/imds-bootstrap.deb"
  }

  provisioner "file" {
    source      = "${var.configuration}/"
    destination = "/tmp/imds-bootstrap/configuration"
  }

  provisioner "shell" {
    execute_command = "sudo env {{ .Vars }} bash '{{ .Path }}' /tmp/imds-bootstrap/imds-bootstrap.deb"
    script          = "${path.root}/install.sh"
  }

  # Your application comes here: its package, and a drop-in that makes its unit wait
  # (packaging/systemd/application.conf.example).

  provisioner "shell" {
    execute_command = "sudo env {{ .Vars }} bash '{{ .Path }}' /tmp/imds-bootstrap/configuration"
    script          = "${path.root}/configure.sh"
  }

  # The last step: it removes the very user that runs it.
  provisioner "shell" {
    execute_command = "sudo env {{ .Vars }} bash '{{ .Path }}' /tmp/imds-bootstrap"
    script          = "${path.root}/capture.sh"
    skip_clean      = true
  }
}
