# Paths count from where packer is started: here, the top of the checkout.
subscription_id  = "00000000-0000-0000-0000-000000000000"
resource_group   = "images"
gallery          = "contoso"
image_definition = "shop"
image_version    = "1.0.0"
configuration    = "templates/image"
