# Registers cdr-exporter in Microsoft Entra ID: an application with the one permission CallRecords.Read.All, the consent to it, and a credential.
# Apply it as a Privileged Role Administrator or Global Administrator, or with the Graph permissions Application.ReadWrite.All and
# AppRoleAssignment.ReadWrite.All. docs/first-account.md explains each part.

terraform {
  required_version = ">= 1.5"
  required_providers {
    azuread = {
      source  = "hashicorp/azuread"
      version = ">= 3.0, < 4.0"
    }
  }
}

variable "display_name" {
  description = "Name of the app registration."
  type        = string
  default     = "cdr-exporter"
}

variable "credential" {
  description = "secret (is then in the state: encrypt it), certificate, or workload_identity."
  type        = string
  default     = "secret"
  validation {
    condition     = contains(["secret", "certificate", "workload_identity"], var.credential)
    error_message = "Give secret, certificate or workload_identity."
  }
}

variable "secret_end_date" {
  description = "When the client secret ends, in RFC 3339, such as 2027-03-01T00:00:00Z."
  type        = string
  default     = null
}

variable "certificate_file" {
  description = "The public certificate in PEM; its key never leaves the exporter's machine."
  type        = string
  default     = "client.crt"
}

variable "issuer" {
  description = "OIDC issuer of the Kubernetes cluster, for workload_identity."
  type        = string
  default     = null
}

variable "subject" {
  description = "Service account of the exporter, for workload_identity."
  type        = string
  default     = "system:serviceaccount:monitoring:cdr-exporter"
}

locals {
  graph             = "00000003-0000-0000-c000-000000000000" # Microsoft Graph
  call_records_read = "45bbb07e-7321-4fd7-a8f6-3ff27e6a81c8" # its application permission CallRecords.Read.All
}

data "azuread_client_config" "current" {}

data "azuread_service_principal" "graph" {
  client_id = local.graph
}

resource "azuread_application" "exporter" {
  display_name     = var.display_name
  sign_in_audience = "AzureADMyOrg"

  required_resource_access {
    resource_app_id = local.graph
    resource_access {
      id   = local.call_records_read
      type = "Role"
    }
  }
}

resource "azuread_service_principal" "exporter" {
  client_id = azuread_application.exporter.client_id
}

# The admin consent.
resource "azuread_app_role_assignment" "call_records" {
  app_role_id         = local.call_records_read
  principal_object_id = azuread_service_principal.exporter.object_id
  resource_object_id  = data.azuread_service_principal.graph.object_id
}

resource "azuread_application_password" "exporter" {
  count          = var.credential == "secret" ? 1 : 0
  application_id = azuread_application.exporter.id
  display_name   = "cdr-exporter"
  end_date       = var.secret_end_date
}

resource "azuread_application_certificate" "exporter" {
  count          = var.credential == "certificate" ? 1 : 0
  application_id = azuread_application.exporter.id
  type           = "AsymmetricX509Cert"
  value          = file(var.certificate_file)
}

resource "azuread_application_federated_identity_credential" "exporter" {
  count          = var.credential == "workload_identity" ? 1 : 0
  application_id = azuread_application.exporter.id
  display_name   = "cdr-exporter"
  issuer         = var.issuer
  subject        = var.subject
  audiences      = ["api://AzureADTokenExchange"]
}

output "tenant_id" {
  value = data.azuread_client_config.current.tenant_id
}

output "client_id" {
  value = azuread_application.exporter.client_id
}

output "client_secret" {
  value     = one(azuread_application_password.exporter[*].value)
  sensitive = true
}
