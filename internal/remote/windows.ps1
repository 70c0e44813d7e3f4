# windows.ps1 tells about, and mends, what SFTP cannot on a Windows server.
#
# It is sent as the argument of powershell.exe -EncodedCommand, which is base64
# and so the same for cmd.exe, PowerShell and bash. It is written for Windows
# PowerShell 2 to 5.1. What is sent is head, one of look and guard, and tail,
# without comments and indentation: cmd.exe takes 8191 characters and no more.
#
# Before it come assignments of plain words and base64, made by powerShell
# in winserver_commands.go: $M is the marker, $P the file (UTF-8 in base64), $K
# shared or own, $J mend or tell. Names of variables ignore case.
#
# The answer is lines "word value" in UTF-8, sent as base64 in lines "M data"
# between "M begin" and "M end LENGTH". None is longer than 79 characters: a
# PowerShell that passes on the output of another folds it at the width of a
# console that is not there, and an OEM code page cannot spoil it.
#
# The loader drops comment lines and indentation: keep both out of strings.

#== head
$ErrorActionPreference='Stop'
$ProgressPreference='SilentlyContinue'
# A policy may forbid all that follows.
if($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage'){"`n$M limited";exit}
$w=New-Object Text.StringBuilder
function say($word,$v){[void]$w.Append($word+' '+("$v" -replace '[\r\n]+',' ')+"`n")}
$who=[Security.Principal.WindowsIdentity]::GetCurrent()
$me=$who.User.Value
$adm='S-1-5-32-544'
try{

#== look
say sid $me
say user ($who.Name -replace '^.*\\','')
# The profile as get_passwd in pwd.c finds it.
$h=''
try{$h=(Get-ItemProperty "HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList\$me").ProfileImagePath}catch{}
if(!$h){$h=[Environment]::GetFolderPath('UserProfile')}
say profile $h
$d=[Environment]::GetFolderPath('CommonApplicationData')
say programdata $d
# Groups leaves out those for denying only, which a filtered token has; whoami
# does not.
$g=@($who.Groups|%{$_.Value})
try{$g+=@(& "$env:SystemRoot\System32\whoami.exe" /groups /fo csv /nh)}catch{}
say admin ([bool]($g -match "$adm(\D|`$)"))
try{
	$f=[IO.File]::Open("$d\ssh\sshd_config",'Open','Read','ReadWrite')
	$b=New-Object byte[] 65536
	$n=$f.Read($b,0,65536)
	$f.Close()
	say config ([Convert]::ToBase64String($b,0,$n))
}catch{}

#== guard
# The rules are those of check_secure_file_permission in w32-sshfileperm.c.
# 852246 are the rights of its SSH_SECURE_WRITE_MASK, 2032127 is full control,
# 1048575 is all of that but SYNCHRONIZE.
$f=[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($P))
$T=[Security.Principal.SecurityIdentifier]
$sys='S-1-5-18'
$ok=$adm,$sys,'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464'
if($K -eq 'own'){$ok+=$me}
$scan={
	$x=[IO.File]::GetAccessControl($f,'Owner,Access')
	$o=$x.GetOwner($T).Value
	$r=@($x.GetAccessRules($true,$true,$T))
	$bad=@($r|?{$_.AccessControlType -eq 'Allow' -and ([int]$_.FileSystemRights -band 852246) -and $ok -notcontains $_.IdentityReference.Value})
	$odd=@($r|?{$_.AccessControlType -ne 'Allow' -or [int]$_.FileSystemRights -ne 2032127 -or ($adm,$sys) -notcontains $_.IdentityReference.Value})
	$exact=$o -eq $adm -and $x.AreAccessRulesProtected -and $r.Count -eq 2 -and !$odd
	$now=$x.GetSecurityDescriptorSddlForm('Owner,Access')
}
function fresh{New-Object Security.AccessControl.FileSecurity}
function grant($s,$i,$v,$a){$s.AddAccessRule((New-Object Security.AccessControl.FileSystemAccessRule (New-Object $T.FullName $i),([Security.AccessControl.FileSystemRights]$v),$a))}
function put($s){try{[IO.File]::SetAccessControl($f,$s);$true}catch{$script:e=$_.Exception.Message;$false}}
. $scan
$was=$now
$n=fresh
$n.SetAccessRuleProtection($true,$false)
if($J -eq 'mend' -and $K -eq 'shared' -and !$exact){
	grant $n $adm 2032127 'Allow'
	grant $n $sys 2032127 'Allow'
	$c=fresh
	$c.SetOwner((New-Object $T.FullName $adm))
	# Whichever of the two is allowed makes the other allowed.
	[void](put $n)
	[void](put $c)
	[void](put $n)
}
if($J -eq 'mend' -and $K -eq 'own' -and $bad){
	foreach($a in $r){
		$v=[int]$a.FileSystemRights -band 2032127
		if($bad -contains $a){$v=$v -band -bnot 852246}
		if($v -band 1048575){grant $n $a.IdentityReference.Value $v $a.AccessControlType}
	}
	[void](put $n)
}
. $scan
if($was -ne $now){say was $was;say now $now}
foreach($a in $bad){say writer $a.IdentityReference.Value}
if($ok -notcontains $o){say owner $o}
if($e -and ($bad -or $K -eq 'shared' -and !$exact)){say error $e}

#== tail
}catch{say fail $_.Exception.Message}
$b=[Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes("$w"))
$c=[Console]::Out
$c.WriteLine("`n$M begin")
for($i=0;$i -lt $b.Length;$i+=48){$c.WriteLine("$M data "+$b.Substring($i,[Math]::Min(48,$b.Length-$i)))}
$c.WriteLine("$M end "+$b.Length)
