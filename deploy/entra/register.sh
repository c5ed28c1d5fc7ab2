#!/usr/bin/env bash
# Registers cdr-exporter in Microsoft Entra ID with the Azure CLI: an application with the one permission CallRecords.Read.All, the consent to it,
# and a credential. Sign in first (az login) as a Privileged Role Administrator or Global Administrator. docs/first-account.md explains each part.
#
#   register.sh secret FILE             a client secret for a year, written to FILE
#   register.sh certificate FILE        the public certificate FILE, in PEM
#   register.sh workload ISSUER SUBJECT a federated credential for a Kubernetes service account, such as
#                                       system:serviceaccount:monitoring:cdr-exporter
#
# A second run continues with the objects of the first: the app, its consent, and its federated credential. NAME=… is the app's name, cdr-exporter by default.
set -euo pipefail

graph=00000003-0000-0000-c000-000000000000             # Microsoft Graph
call_records_read=45bbb07e-7321-4fd7-a8f6-3ff27e6a81c8 # its application permission CallRecords.Read.All

usage() { sed -n 's/^#   //p' "$0" >&2; exit 2; }
case "${1-} $#" in "secret 2" | "certificate 2" | "workload 3") ;; *) usage ;; esac
[ "$1" != secret ] || [ ! -e "$2" ] || { echo "register.sh: $2 is there already" >&2; exit 1; }

# retry runs a command until the directory has the new object, which takes seconds to minutes to reach all of its servers.
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
retry() {
	for _ in {1..36}; do
		"$@" 2> "$errors" && return
		grep -qiE "does not exist|not found|ResourceNotFound|local tenant" "$errors" || break
		echo "register.sh: waiting for the directory" >&2
		sleep 5
	done
	cat "$errors" >&2
	return 1
}

name=${NAME:-cdr-exporter}
app=$(az ad app list --filter "displayName eq '$name'" --query '[].appId' --output tsv)
case $app in
"") app=$(az ad app create --display-name "$name" --sign-in-audience AzureADMyOrg --query appId --output tsv) ;;
*$'\n'*) echo "register.sh: several apps are called $name; choose another NAME" >&2; exit 1 ;;
*) echo "register.sh: going on with the app $name, $app" >&2 ;;
esac
principal=$(az ad sp list --filter "appId eq '$app'" --query '[].id' --output tsv)
[ -n "$principal" ] || principal=$(retry az ad sp create --id "$app" --query id --output tsv)
retry az ad app permission add --id "$app" --api "$graph" --api-permissions "$call_records_read=Role" --only-show-errors

# The admin consent: the assignment of this one role, which says at once whether it worked.
resource=$(az ad sp show --id "$graph" --query id --output tsv)
roles=https://graph.microsoft.com/v1.0/servicePrincipals/$principal/appRoleAssignments
if [ -z "$(retry az rest --url "$roles" --query "value[?appRoleId=='$call_records_read'].id" --output tsv)" ]; then
	retry az rest --method POST --url "$roles" --output none --body \
		"{\"principalId\": \"$principal\", \"resourceId\": \"$resource\", \"appRoleId\": \"$call_records_read\"}"
fi

case $1 in
secret)
	umask 077
	secret=$(az ad app credential reset --id "$app" --append --display-name cdr-exporter --years 1 --query password --output tsv --only-show-errors)
	printf '%s\n' "$secret" > "$2"
	flags="--client-secret-file=$2 --client-secret-expires=$(az ad app credential list --id "$app" --query 'max([].endDateTime)' --output tsv)"
	;;
certificate)
	az ad app credential reset --id "$app" --append --cert "@$2" --output none --only-show-errors
	flags="--client-certificate-file=PEM-WITH-CERTIFICATE-AND-KEY"
	;;
workload)
	[ -n "$(az ad app federated-credential list --id "$app" --query "[?subject=='$3'].id" --output tsv)" ] || az ad app federated-credential create --id "$app" --output none --parameters \
		"{\"name\": \"cdr-exporter\", \"issuer\": \"$2\", \"subject\": \"$3\", \"audiences\": [\"api://AzureADTokenExchange\"]}"
	flags="--credential=workload_identity"
	;;
esac
echo "cdr-exporter init --provider=msgraph --tenant-id=$(az account show --query tenantId --output tsv) --client-id=$app $flags"
