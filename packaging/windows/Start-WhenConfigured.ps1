<#
.SYNOPSIS
Starts a service once this machine is configured, and not before.

.DESCRIPTION
An example for the application's side. Its service is set to start on demand, so that Windows does
not start it by itself; a task at startup runs this script instead:

    sc.exe config Shop start= demand
    schtasks /create /tn Shop /sc onstart /ru SYSTEM /tr "powershell.exe -NoProfile -File C:\Shop\Start-WhenConfigured.ps1 -Service Shop"

.PARAMETER Service
The service's name.

.PARAMETER Seconds
How long to wait: more than the deadline of imds-bootstrap, which is 300 by default.

.PARAMETER Program
The path of imds-bootstrap.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true)][string] $Service,
    [int] $Seconds = 330,
    [string] $Program = (Join-Path $env:ProgramFiles 'imds-bootstrap\Scripts\imds-bootstrap.exe')
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

& $Program status --wait --timeout $Seconds
if ($LASTEXITCODE -ne 0) {
    Write-Error -ErrorAction Continue "$Service is not started: this machine is not configured (imds-bootstrap status ended with $LASTEXITCODE)."
    exit $LASTEXITCODE
}
Start-Service -Name $Service
