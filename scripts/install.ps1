<#
.SYNOPSIS
Installs ssh-copy-id for the current user, or removes it.

.DESCRIPTION
Copies ssh-copy-id.exe to %LOCALAPPDATA%\Programs\ssh-copy-id and puts that
folder on the user's PATH, and on that of this session. It needs no
administrator, and runs in Windows PowerShell 5.1 and PowerShell 7. Where
scripts may not run:

    powershell -ExecutionPolicy Bypass -File install.ps1

.PARAMETER Binary
The build to install. Without it that is ssh-copy-id.exe beside this script, as
in the zip of a release, or at the top of the source tree; if there is none and
Go is installed, it is built.

.PARAMETER Uninstall
Takes the program and the entry in PATH away again.
#>
[CmdletBinding(DefaultParameterSetName = 'Install')]
param(
    [Parameter(ParameterSetName = 'Install', Position = 0)]
    [string] $Binary,
    [Parameter(ParameterSetName = 'Uninstall', Mandatory = $true)]
    [switch] $Uninstall
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

# Find-Binary is the full name of the build to install.
function Find-Binary {
    if ($Binary) {
        if (-not (Test-Path -LiteralPath $Binary -PathType Leaf)) { throw "there is no file $Binary" }
        return (Resolve-Path -LiteralPath $Binary).ProviderPath
    }
    # In the zip of a release the program is beside this script.
    $beside = Join-Path $PSScriptRoot 'ssh-copy-id.exe'
    if (Test-Path -LiteralPath $beside -PathType Leaf) { return $beside }
    $root = Split-Path -Parent $PSScriptRoot
    $built = Join-Path $root 'ssh-copy-id.exe'
    if (Test-Path -LiteralPath $built -PathType Leaf) { return $built }
    if (-not (Get-Command go -CommandType Application -ErrorAction SilentlyContinue)) {
        throw "there is no $built, and no Go to build it with: name a build with -Binary"
    }
    Write-Host "building $built"
    Push-Location -LiteralPath $root
    try { & go build -o $built . | Out-Host } finally { Pop-Location }
    if ($LASTEXITCODE -ne 0) { throw "go build has failed with status $LASTEXITCODE" }
    return $built
}

# Test-Entry says whether an entry of a PATH means our folder.
function Test-Entry([string] $entry) {
    $name = [Environment]::ExpandEnvironmentVariables($entry.Trim().Trim('"')).TrimEnd([char[]] '\/')
    return $name -eq $folder
}

# Get-NewPath is a PATH with our folder as its last entry, or without it. What
# else stands in it stays as it is.
function Get-NewPath([string] $path, [bool] $wanted) {
    $entries = @($path.Split(';'))
    $others = @($entries | Where-Object { -not (Test-Entry $_) })
    if (-not $wanted) { return $others -join ';' }
    if ($others.Count -lt $entries.Count) { return $path }
    if ($path -eq '' -or $path.EndsWith(';')) { return $path + $folder }
    return $path + ';' + $folder
}

# Set-UserPath changes the PATH in the registry. It reads and writes it there,
# because everything else hands out %USERPROFILE% and the like replaced, and
# would store them so for good.
function Set-UserPath([bool] $wanted) {
    $key = [Microsoft.Win32.Registry]::CurrentUser.CreateSubKey('Environment')
    try {
        $kind = [Microsoft.Win32.RegistryValueKind]::ExpandString
        if ($key.GetValueNames() -contains 'Path') { $kind = $key.GetValueKind('Path') }
        if ('String', 'ExpandString' -notcontains "$kind") { throw "the user's PATH in the registry is no text but $kind" }
        $old = [string] $key.GetValue('Path', '', [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames)
        $new = Get-NewPath $old $wanted
        if ($new -ceq $old) { return }
        if ($new -eq '') { $key.DeleteValue('Path') } else { $key.SetValue('Path', $new, $kind) }
    } finally { $key.Close() }
    # Removing a variable that is not there changes nothing, and tells all
    # windows that the environment has changed: new terminals know the PATH.
    # $null would be handed over as '', which newer versions of .NET store.
    [Environment]::SetEnvironmentVariable('ssh-copy-id-install', [NullString]::Value, 'User')
}

function Install-Program {
    $source = Find-Binary
    # A build for another system or processor is found out before anything changes.
    try { $version = & $source --version } catch { throw "$source does not run here: $_" }
    if ($LASTEXITCODE -ne 0) { throw "$source --version has failed with status $LASTEXITCODE" }
    [void] (New-Item -ItemType Directory -Force -Path $folder)
    if ($source -ne $program) {
        try { Copy-Item -LiteralPath $source -Destination $program -Force }
        catch { throw "cannot write ${program}: $_ (is it running?)" }
    }
    Set-UserPath $true
    $env:Path = Get-NewPath $env:Path $true
    Write-Host "installed $version as $program"
    Write-Host 'terminals that are open already find it once they are opened anew'
}

function Uninstall-Program {
    if (Test-Path -LiteralPath $program) {
        try { Remove-Item -LiteralPath $program -Force }
        catch { throw "cannot remove ${program}: $_ (is it running?)" }
    }
    # Only if nobody has put something else there.
    if ((Test-Path -LiteralPath $folder) -and -not (Get-ChildItem -LiteralPath $folder -Force)) {
        Remove-Item -LiteralPath $folder
    }
    Set-UserPath $false
    $env:Path = Get-NewPath $env:Path $false
    Write-Host "removed $program and its entry in PATH"
}

if ([Environment]::OSVersion.Platform -ne 'Win32NT') { throw 'this script is for Windows' }
if (-not $env:LOCALAPPDATA) { throw 'LOCALAPPDATA is not set: there is no place for programs of this user' }
$folder = Join-Path $env:LOCALAPPDATA 'Programs\ssh-copy-id'
$program = Join-Path $folder 'ssh-copy-id.exe'
if ($Uninstall) { Uninstall-Program } else { Install-Program }
