# windows.ps1 tells about, and mends, what SFTP cannot on a Windows server.
#
# It is sent as the argument of powershell.exe -EncodedCommand, which is base64
# and so the same for cmd.exe, PowerShell and bash. It is written for Windows
# PowerShell 2 to 5.1. What is sent is head, one of look and guard, and tail,
# without comments and indentation: cmd.exe takes 8191 characters and no more.
#
# Before it come assignments of plain words and base64, made by powerShell
# in winserver_commands.go: $M is the marker, $P the file (UTF-8 in base64), for
# look as given with -t, $K shared or own, $J mend or tell. Names of variables
# ignore case.
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
$U=[Text.Encoding]::UTF8
$T=[Security.Principal.SecurityIdentifier]
$N=[Security.Principal.NTAccount]
# name is what Windows calls a SID.
function name($s){try{($s -as $T).Translate($N).Value}catch{$s}}
try{

#== look
say sid $me
say name $who.Name
say computer $env:COMPUTERNAME
say connection $env:SSH_CONNECTION
# The profile as get_passwd in pwd.c finds it.
$h=''
try{$h=(Get-ItemProperty "HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList\$me").ProfileImagePath}catch{}
if(!$h){$h=[Environment]::GetFolderPath('UserProfile')}
say profile $h
$d=[Environment]::GetFolderPath('CommonApplicationData')
say programdata $d
if($P){say target ([Environment]::ExpandEnvironmentVariables($U.GetString([Convert]::FromBase64String($P))))}
# Groups leaves out those for denying only, which a filtered token has; whoami
# does not.
$g=@($who.Groups|%{$_.Value})
try{$x=@(& "$env:SystemRoot\System32\whoami.exe" /groups /fo csv /nh)}catch{}
say admin ([bool](($g+$x) -match "$adm(\D|`$)"))
function take($v){try{
	$f=[IO.File]::Open($v,'Open','Read','ReadWrite')
	$b=New-Object byte[] 65536
	$i=$f.Read($b,0,65536)
	$f.Close()
	say file $v
	say config ([Convert]::ToBase64String($b,0,$i))
	$script:l+="`n"+$U.GetString($b,0,$i)
}catch{}}
$l=''
take "$d\ssh\sshd_config"
# Included files may not include others here.
foreach($r in [regex]::Matches($l,'(?im)^[ \t]*include[\s=]+(.+)$')){foreach($v in $r.Groups[1].Value.Trim() -split '\s+'){
	$v=$v.Trim('"').Replace('__PROGRAMDATA__',$d)
	if(![IO.Path]::IsPathRooted($v)){$v="$d\ssh\$v"}
	try{Get-ChildItem $v|%{take $_.FullName}}catch{}
}}
# Windows decides which groups the names stand for, as it does for sshd.
foreach($r in [regex]::Matches($l,'(?i)groups?[\s=]+(?:"([^"]*)"|(\S+))')){
	$v=$r.Groups[1].Value+$r.Groups[2].Value
	$s='-'
	try{$s=($v -as $N).Translate($T).Value}catch{}
	say named "$s $v"
}
# Names are asked for only where there are patterns to compare them with.
$o=$l -match '(?im)^[ \t]*(match|allowgroups|denygroups)[\s=].*[,*?!]'
foreach($s in $g){
	$v=''
	if($o){$v=name $s}
	say group "$s $v"
}

#== guard
# The rules are those of check_secure_file_permission in w32-sshfileperm.c.
# 852246 are the rights of its SSH_SECURE_WRITE_MASK, 2032127 is full control,
# 1048575 is all of that but SYNCHRONIZE.
$f=$U.GetString([Convert]::FromBase64String($P))
$sys='S-1-5-18'
$ok=$adm,$sys,'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464'
if($K -eq 'own'){$ok+=$me}
function sid($a){$a.IdentityReference.Value}
$ff=2032127
$scan={
	$x=[IO.File]::GetAccessControl($f,'Owner,Access')
	$o=$x.GetOwner($T).Value
	$r=@($x.GetAccessRules($true,$true,$T))
	$bad=@($r|?{$_.AccessControlType -eq 'Allow' -and ([int]$_.FileSystemRights -band 852246) -and $ok -notcontains (sid $_)})
	$odd=@($r|?{$_.AccessControlType -ne 'Allow' -or [int]$_.FileSystemRights -ne $ff -or ($adm,$sys) -notcontains (sid $_)})
	$exact=$o -eq $adm -and $x.AreAccessRulesProtected -and $r.Count -eq 2 -and !$odd
	$now=$x.GetSecurityDescriptorSddlForm('Owner,Access')
}
function fresh{New-Object Security.AccessControl.FileSecurity}
function grant($s,$i,$v,$a){$s.AddAccessRule((New-Object Security.AccessControl.FileSystemAccessRule ($i -as $T),([Security.AccessControl.FileSystemRights]$v),$a))}
function put($s){try{[IO.File]::SetAccessControl($f,$s)}catch{$script:e=$_.Exception.Message}}
. $scan
$was=$now
$q=@($(if($K -eq 'own'){$bad}else{$odd})|%{name (sid $_)})
$h=$o
$d=fresh
$d.SetAccessRuleProtection($true,$false)
if($J -eq 'mend'){if($K -eq 'own'){if($bad){
	foreach($a in $r){
		$v=[int]$a.FileSystemRights -band $ff
		if($bad -contains $a){$v=$v -band -bnot 852246}
		if($v -band 1048575){grant $d (sid $a) $v $a.AccessControlType}
	}
	put $d
}}elseif(!$exact){
	grant $d $adm $ff 'Allow'
	grant $d $sys $ff 'Allow'
	$c=fresh
	$c.SetOwner(($adm -as $T))
	# Whichever of the two is allowed makes the other allowed.
	put $d
	put $c
	put $d
}}
. $scan
if($was -ne $now){say changed;$q|%{say had $_};if($h -ne $o){say from (name $h)}}
$bad|%{$v=sid $_;say writer "$v $(name $v)"}
if($ok -notcontains $o){say owner "$o $(name $o)"}
if($e -and ($bad -or $K -ne 'own' -and !$exact)){say error $e}

#== tail
}catch{say fail $_.Exception.Message}
$b=[Convert]::ToBase64String($U.GetBytes("$w"))
$c=[Console]::Out
$c.WriteLine("`n$M begin")
for($i=0;$i -lt $b.Length;$i+=48){$c.WriteLine("$M data "+$b.Substring($i,[Math]::Min(48,$b.Length-$i)))}
$c.WriteLine("$M end "+$b.Length)
