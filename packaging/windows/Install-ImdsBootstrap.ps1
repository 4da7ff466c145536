<#
.SYNOPSIS
Lets imds-bootstrap configure this machine at every start, or takes that away again.

.DESCRIPTION
Registers the task of imds-bootstrap.xml, which runs the program at startup as SYSTEM; makes the
folders below %ProgramData%\imds-bootstrap for SYSTEM and Administrators only, with the status
readable by everybody; and registers the source of its events in the Application log. It may be run
again at any time. The program itself is installed before: see README.md.

.PARAMETER Program
The program's path, if it is not where README.md puts it.

.PARAMETER Uninstall
Remove the task, the event source, what the program remembers, and its folders. Documents, templates
and settings of the image stay.

.EXAMPLE
.\Install-ImdsBootstrap.ps1

.EXAMPLE
.\Install-ImdsBootstrap.ps1 -Uninstall
#>
[CmdletBinding(DefaultParameterSetName = 'Install')]
param(
    [Parameter(ParameterSetName = 'Install')]
    [string] $Program = (Join-Path $env:ProgramFiles 'imds-bootstrap\Scripts\imds-bootstrap.exe'),

    [Parameter(ParameterSetName = 'Uninstall', Mandatory = $true)]
    [switch] $Uninstall
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$TaskName = 'imds-bootstrap'
$TaskFile = Join-Path $PSScriptRoot 'imds-bootstrap.xml'
$Folder = Join-Path $env:ProgramData 'imds-bootstrap'
$Source = 'HKLM:\SYSTEM\CurrentControlSet\Services\EventLog\Application\imds-bootstrap'
$ThisBoot = 'HKLM:\SOFTWARE\imds-bootstrap'
$Private = 'O:BAG:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)'
$Public = "$Private(A;OICI;0x1200a9;;;BU)"
# SYSTEM, Administrators, TrustedInstaller
$Trusted = @(
    'S-1-5-18',
    'S-1-5-32-544',
    'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464'
)

function Assert-Elevated {
    $identity = [Security.Principal.WindowsIdentity]::GetCurrent()
    $principal = [Security.Principal.WindowsPrincipal] $identity
    if (-not $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
        throw 'This needs an administrator: open PowerShell with "Run as administrator", and run it again.'
    }
}

function Assert-Program {
    if (-not (Test-Path -LiteralPath $Program -PathType Leaf)) {
        throw "There is no program at $Program. Install it first (see README.md), or name it with -Program."
    }
    if (-not (Test-Path -LiteralPath $TaskFile -PathType Leaf)) {
        throw "There is no $TaskFile. It has to lie beside this script."
    }
}

# Every user may make folders in ProgramData. Settings that somebody else has put there before this
# script came would be followed by SYSTEM.
function Assert-OursAlone {
    if (-not (Test-Path -LiteralPath $Folder)) { return }
    $found = @(Get-Item -LiteralPath $Folder -Force) + @(Get-ChildItem -LiteralPath $Folder -Recurse -Force)
    foreach ($item in $found) {
        if ($item.Attributes -band [IO.FileAttributes]::ReparsePoint) {
            throw "$($item.FullName) is a link. Remove it, and run this again."
        }
        $owner = (Get-Acl -LiteralPath $item.FullName).GetOwner([Security.Principal.SecurityIdentifier])
        if ($Trusted -notcontains $owner.Value) {
            throw "$($item.FullName) belongs to $owner, who is no administrator. Look at it, then remove it or take ownership of it (takeown /A /F), and run this again."
        }
    }
}

function Set-Folder([string] $Path, [string] $Sddl) {
    New-Item -ItemType Directory -Force -Path $Path | Out-Null
    $access = New-Object -TypeName Security.AccessControl.DirectorySecurity
    $access.SetSecurityDescriptorSddlForm($Sddl)
    Set-Acl -LiteralPath $Path -AclObject $access
}

function Register-Source {
    New-Item -Force -Path $Source | Out-Null
    # Its table of messages says the text of any event from 1 to 1000 as it is.
    $messages = '%SystemRoot%\System32\EventCreate.exe'
    New-ItemProperty -Force -Path $Source -Name EventMessageFile -PropertyType ExpandString -Value $messages | Out-Null
    New-ItemProperty -Force -Path $Source -Name TypesSupported -PropertyType DWord -Value 7 | Out-Null
}

function Register-Task {
    $task = [xml] (Get-Content -LiteralPath $TaskFile -Raw)
    $task.Task.Actions.Exec.Command = $Program
    Register-ScheduledTask -Force -TaskName $TaskName -Xml $task.OuterXml | Out-Null
}

function Install-All {
    Assert-Program
    Assert-OursAlone
    Set-Folder $Folder $Private
    foreach ($name in 'config.d', 'templates', 'agent.d', 'state') {
        Set-Folder (Join-Path $Folder $name) $Private
    }
    Set-Folder (Join-Path $Folder 'status') $Public
    Register-Source
    Register-Task
    Write-Output "imds-bootstrap runs at the next start; now: Start-ScheduledTask -TaskName $TaskName"
}

function Uninstall-All {
    if (Get-ScheduledTask -TaskName $TaskName -ErrorAction SilentlyContinue) {
        Stop-ScheduledTask -TaskName $TaskName
        Unregister-ScheduledTask -TaskName $TaskName -Confirm:$false
    }
    foreach ($path in $Source, $ThisBoot, (Join-Path $Folder 'state'), (Join-Path $Folder 'status')) {
        if (Test-Path -LiteralPath $path) { Remove-Item -LiteralPath $path -Recurse -Force }
    }
    $made = @('config.d', 'templates', 'agent.d' | ForEach-Object { Join-Path $Folder $_ }) + $Folder
    foreach ($one in $made) {
        $isThere = Test-Path -LiteralPath $one
        if ($isThere -and -not (Get-ChildItem -LiteralPath $one -Force)) {
            Remove-Item -LiteralPath $one -Force
        }
    }
    if (Test-Path -LiteralPath $Folder) {
        Write-Output "imds-bootstrap is removed; what the image brought stays in $Folder"
    } else {
        Write-Output 'imds-bootstrap is removed'
    }
}

try {
    Assert-Elevated
    if ($Uninstall) { Uninstall-All } else { Install-All }
} catch {
    Write-Error -ErrorAction Continue "Install-ImdsBootstrap: $($_.Exception.Message)"
    exit 1
}
