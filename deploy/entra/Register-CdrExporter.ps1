#Requires -Modules Microsoft.Graph.Authentication, Microsoft.Graph.Applications
<#
.SYNOPSIS
Registers cdr-exporter in Microsoft Entra ID: an application with the one permission CallRecords.Read.All, the consent to it, and a credential.
.DESCRIPTION
Whoever runs it is a Privileged Role Administrator or Global Administrator. Each run registers an app of its own. docs/first-account.md explains
each part.
.EXAMPLE
./Register-CdrExporter.ps1 -SecretFile contoso-client-secret.txt
.EXAMPLE
./Register-CdrExporter.ps1 -CertificateFile client.crt
.EXAMPLE
./Register-CdrExporter.ps1 -Issuer https://oidc.example.com/ -Subject system:serviceaccount:monitoring:cdr-exporter
#>
[CmdletBinding(DefaultParameterSetName = 'Secret')]
param(
    [string] $DisplayName = 'cdr-exporter',
    [Parameter(Mandatory, ParameterSetName = 'Secret')] [string] $SecretFile,
    [Parameter(ParameterSetName = 'Secret')] [datetime] $SecretEnds = (Get-Date).AddYears(1),
    [Parameter(Mandatory, ParameterSetName = 'Certificate')] [string] $CertificateFile,
    [Parameter(Mandatory, ParameterSetName = 'Workload')] [string] $Issuer,
    [Parameter(Mandatory, ParameterSetName = 'Workload')] [string] $Subject
)
$ErrorActionPreference = 'Stop'

$graphAppId = '00000003-0000-0000-c000-000000000000'      # Microsoft Graph
$callRecordsRead = '45bbb07e-7321-4fd7-a8f6-3ff27e6a81c8' # its application permission CallRecords.Read.All

if ($SecretFile -and (Test-Path $SecretFile)) { throw "$SecretFile is there already" }
Connect-MgGraph -Scopes 'Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All' -NoWelcome

$parameters = @{
    DisplayName            = $DisplayName
    SignInAudience         = 'AzureADMyOrg'
    RequiredResourceAccess = @{
        ResourceAppId  = $graphAppId
        ResourceAccess = @(@{ Id = $callRecordsRead; Type = 'Role' })
    }
}
if ($CertificateFile) {
    $certificate = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new((Resolve-Path $CertificateFile).Path)
    $parameters.KeyCredentials = @(@{
            Type = 'AsymmetricX509Cert'; Usage = 'Verify'; Key = $certificate.RawData; DisplayName = 'cdr-exporter'
        })
}
$app = New-MgApplication @parameters
$principal = New-MgServicePrincipal -AppId $app.AppId

# The admin consent.
$graph = Get-MgServicePrincipal -Filter "appId eq '$graphAppId'"
New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $principal.Id -PrincipalId $principal.Id `
    -ResourceId $graph.Id -AppRoleId $callRecordsRead | Out-Null

switch ($PSCmdlet.ParameterSetName) {
    'Secret' {
        $secret = Add-MgApplicationPassword -ApplicationId $app.Id -PasswordCredential @{ DisplayName = 'cdr-exporter'; EndDateTime = $SecretEnds }
        New-Item -Path $SecretFile -ItemType File | Out-Null
        if (-not $IsWindows -and $PSVersionTable.PSEdition -eq 'Core') { chmod 600 $SecretFile }
        Set-Content -Path $SecretFile -Value $secret.SecretText
        $flags = "--client-secret-file=$SecretFile --client-secret-expires=$($SecretEnds.ToString('yyyy-MM-dd'))"
    }
    'Certificate' { $flags = '--client-certificate-file=PEM-WITH-CERTIFICATE-AND-KEY' }
    'Workload' {
        New-MgApplicationFederatedIdentityCredential -ApplicationId $app.Id -BodyParameter @{
            Name = 'cdr-exporter'; Issuer = $Issuer; Subject = $Subject; Audiences = @('api://AzureADTokenExchange')
        } | Out-Null
        $flags = '--credential=workload_identity'
    }
}
"cdr-exporter init --provider=msgraph --tenant-id=$((Get-MgContext).TenantId) --client-id=$($app.AppId) $flags"
