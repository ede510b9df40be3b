"""Scripts by hand: every command, option and error. A line is a command, words in quotes with
escapes; "2> " before it: on the second connection. Lines of blank are nothing."""

import shlex

LONG = "x" * 200

SET = r"""
set a 1
get a
set a 2 nx
set b 2 nx
set a 3 xx
set c 3 xx
get c
set a 4 get
set nothing 4 get
set a 5 nx get
set missing 5 nx get
set missing2 5 xx get
set a 6 xx get
SeT a 7 ExAt 99999999999
expiretime a
set a 8 keepttl
expiretime a
set a 9
ttl a
set a 1 ex 100
ttl a
set a 1 px 100000
pttl a
set a 1 pxat 99999999999999
pexpiretime a
set a 1 exat 1
get a
set a 1 pxat 1 get
exists a
set a v pxat 1 nx
get a
set a 1 ex 0
set a 1 ex -1
set a 1 ex x
set a 1 ex ""
set a 1 ex 9223372036854775807
set a 1 ex 9223372036854775
set a 1 px 9223372036854775807
set a 1 exat 9223372036854775807
set a 1 exat 9223372036854775
set a 1 pxat 9223372036854775807
pexpiretime a
expiretime a
set a 1 px 0
set a 1 exat 0
set a 1 pxat -5
set a 1 nx xx
set a 1 xx nx
set a 1 ex 10 px 10
set a 1 ex 10 ex 200
ttl a
set a 1 ex 10 keepttl
set a 1 keepttl ex 10
set a 1 keepttl keepttl
set a 1 get get
set a 1 ex
set a 1 px
set a 1 foo
set a 1 persist
set a 1 nx ex x
set a
set
set a "" get
get a
set "" "\r\n\x00"
get ""
setnx a 5
setnx new 5
setnx a
setex a 100 v
ttl a
setex a 0 v
setex a -1 v
setex a x v
setex a 9223372036854775 v
setex a 10
psetex a 100000 v
pttl a
psetex a 0 v
psetex a 9223372036854775807 v
getset a w
getset getset-new w
ttl a
getdel a
getdel a
get a
getdel
"""

GETEX = r"""
set a v
getex a
ttl a
getex a ex 100
ttl a
getex a px 100000
pttl a
getex a exat 99999999999
expiretime a
getex a pxat 99999999999999
pexpiretime a
getex a
pexpiretime a
getex a persist
ttl a
getex a persist
getex a PERSIST persist
getex a ex 10 persist
getex a persist ex 10
getex a ex 10 ex 200
ttl a
getex a ex 10 px 10
getex a ex
getex a keepttl
getex a nx
getex a get
getex a foo
getex a ex 0
getex a ex -1
getex a ex x
getex a ex 9223372036854775807
getex missing ex 0
getex missing ex x
getex missing foo
getex missing
getex
getex a exat 1
get a
set a v
getex a pxat 1
exists a
"""

SEVERAL = r"""
mset a 1 b 2 a 3
mget a b c
mget a a a
mget
mset
mset a
mset a 1 b
msetnx a 1 x 2
mget a x
msetnx x 1 y 2 x 3
mget x y
msetnx x
msetnx p 1 q
del a a b nothing
del
unlink x x
unlink
exists y y a
exists
exists y
type y
type a
type
type a b
set y v ex 100
mset y w
ttl y
"""

RANGE = r"""
append a hello
append a " world"
append a ""
append nothing ""
exists nothing
strlen a
strlen missing
strlen
append a
getrange a 0 -1
getrange a 0 4
getrange a -5 -1
getrange a 4 0
getrange a -1 -5
getrange a -100 100
getrange a 100 200
getrange a -100 -50
getrange a 0 0
getrange a 10 10
getrange a 11 11
getrange a x 1
getrange a 0 x
getrange a 0 9223372036854775807
getrange a -9223372036854775808 -1
getrange a 0 9223372036854775808
getrange missing 0 -1
getrange missing x 1
getrange empty 0 0
getrange a 0
setrange a 6 Redis
get a
setrange a 20 far
get a
setrange a 0 ""
setrange missing 5 ""
exists missing
setrange missing 5 x
get missing
setrange a -1 x
setrange a x x
setrange a 4194304 x
setrange a 4194303 xx
setrange a 4194304 ""
setrange a 9223372036854775807 x
setrange a 9223372036854775807 ""
setrange a 0
setrange edge 4194303 x
strlen edge
append edge x
append edge ""
del edge
set t 12345 ex 100
append t 6
ttl t
setrange t 0 x
ttl t
"""

COUNTERS = r"""
incr a
incr a
incrby a 10
decr a
decrby a 5
get a
incrby a -3
decrby a -3
incrby a x
incrby a 1.5
incrby a ""
incrby a " 1"
incrby a 01
incrby a +1
incrby a 9223372036854775808
incrby a
incr a b
incrby a 9223372036854775807
get a
decrby a -9223372036854775808
decrby a -9223372036854775807
set b -9223372036854775808
decr b
decrby b 1
incrby b -1
incr b
set c 9223372036854775807
incr c
incrby c 1
decr c
set d x
incr d
decr d
incrby d 1
decrby d 1
set d " 5"
incr d
set d 05
incr d
set d ""
incr d
set d 5.0
incr d
set e 10 ex 100
incr e
ttl e
incrbyfloat e 0.5
ttl e
"""

# Numbers of which a long double is exact, or rounds to the same 17 decimals.
FLOATS = r"""
incrbyfloat f 0.1
incrbyfloat f 0.2
incrbyfloat f -0.3
set f 10.50
incrbyfloat f 0.1
incrbyfloat f -5
set f 5.0e3
incrbyfloat f 2.0e2
set f 3
incrbyfloat f -5.1
incrbyfloat f 0
incrbyfloat f -0
set f 0
incrbyfloat f -0
incrbyfloat f -0.0
set f -0
incrbyfloat f -0.0
set f 1
incrbyfloat f -1
set f 0
incrbyfloat f .5
incrbyfloat f 5.
incrbyfloat f +1e+1
incrbyfloat f 1E1
incrbyfloat f 1e-2
incrbyfloat f .
incrbyfloat f e5
incrbyfloat f 1e
incrbyfloat f 1e+
incrbyfloat f 1x
incrbyfloat f " 1"
incrbyfloat f "1 "
incrbyfloat f ""
incrbyfloat f --1
incrbyfloat f +-1
incrbyfloat f nan
incrbyfloat f -nan
incrbyfloat f inf
incrbyfloat f -INF
incrbyfloat f infinity
incrbyfloat f infinit
incrbyfloat f 1e5000
incrbyfloat f 1e4933
incrbyfloat f 1e-5000
incrbyfloat f 1e-4951
incrbyfloat f 0e99999
incrbyfloat f 0.0e-99999
incrbyfloat f "1\x00"
set f inf
incrbyfloat f 1
set f -inf
incrbyfloat f inf
set f nan
incrbyfloat f 1
set f abc
incrbyfloat f 1
set f ""
incrbyfloat f 1
set f 0
incrbyfloat f 1e-18
incrbyfloat f 0.00000000000000001
incrbyfloat f 0.12345678901234567
set f 1e17
incrbyfloat f 1
set f 9223372036854775807
incrbyfloat f 1
incrbyfloat f -0.5
set f 18446744073709551615
incrbyfloat f 0
set f 1e4932
incrbyfloat f 1e4932
set f -1e4932
incrbyfloat f -1e4932
set f 0
incrbyfloat f 1.18973149535723176508e4932
incrbyfloat f 1
incrbyfloat missing 3
get missing
incrbyfloat missing
set f 0.5
incrbyfloat f 0.25
incrbyfloat f 0.125
incrbyfloat f -0.875
set f 1000000
incrbyfloat f 0.5
set f 99.99
incrbyfloat f 0.01
set f 0.99999999999999999
incrbyfloat f 0.00000000000000001
"""

KEYS = r"""
rename a b
set a 1 ex 100
rename a b
get b
ttl b
exists a
set a 2
rename b a
ttl a
rename a a
renamenx a a
renamenx a b
set c 3
renamenx b c
renamenx x x
renamenx x y
rename x x
rename a
renamenx a
rename b c
mget a b c
persist c
ttl c
persist c
persist nothing
persist
keys *
flushdb
keys *
randomkey
dbsize
set a 1
randomkey
dbsize
randomkey x
dbsize x
keys
keys a b
flushdb foo
flushdb sync
flushdb async
flushall sync async
flushall ASYNC
"""

PATTERNS = r"""
mset abc 1 "a[b" 2 "a\\b" 3 a-c 4 a 5 "a]" 6 "" 7 "a^b" 8 A 9 "\xff\x80" 10 "*" 11
keys *
keys **
keys ***
keys ""
keys a*
keys *c
keys *b*
keys ?
keys ??
keys ???*
keys [a-c]*
keys [c-a]bc
keys a[^b]*
keys [^a]*
keys "a\\[b"
keys a[[]b
keys "a[\\]]"
keys a[b
keys ab[c
keys ab[bc
keys a[]b
keys a[a-
keys a[a-c
keys a[-a]c
keys a[a-]c
keys a[^^]b
keys a[]
keys [^]*
keys "a\\"
keys "a\\\\b"
keys [A-Z]
keys a[
keys a]
keys "a[\\-]c"
keys "[\x80-\xff]*"
keys "[a-\xff]*"
keys "\\*"
keys *?*?*
keys *a*b*c*
keys *[ab]*[bc]
keys [
keys [^
keys "["
keys "[\\"
"""

SCAN = r"""
scan 0
scan x
scan ""
scan " 0"
scan 0x
scan +0
scan -1
scan -
scan 01
scan "0\x00abc"
scan 18446744073709551615
scan 18446744073709551616
scan -18446744073709551615
scan 0 count 0
scan 0 count -1
scan 0 count x
scan 0 count
scan 0 match
scan 0 type
scan 0 foo bar
scan 0 foo
scan 0 count 5 match a* type string
scan 0 count 5 count 6
scan 0 type nosuch
scan 0 match a* match b*
scan x count 0
scan 0 count 1.5
scan
"""

EXPIRE = r"""
expire missing 10
expire missing 10 foo
expire missing x
set a 1
expire a 100
ttl a
expire a 200 nx
ttl a
expire a 300 xx
ttl a
expire a 100 gt
ttl a
expire a 400 gt
ttl a
expire a 500 lt
ttl a
expire a 50 LT
ttl a
expire a 60 xx gt
ttl a
expire a 55 xx lt
ttl a
persist a
expire a 100 xx
expire a 100 gt
ttl a
expire a 100 lt
ttl a
persist a
expire a 100 nx nx
expire a 10 nx xx
expire a 10 nx gt
expire a 10 nx lt
expire a 10 gt lt
expire a 10 xx gt lt
expire a 10 foo
expire a 10 foo nx xx
expire a 10 nx xx foo
expire a 10 "fo\r\no\n"
expire a x foo
expire a x nx xx
expire a x
expire a 1.5
expire a ""
expire a
expire a 9223372036854775807
expire a -9223372036854775808
expire a 9223372036854775
pexpire a 9223372036854775807
pexpire a -9223372036854775808
exists a
set a 1
pexpire a 100000
pttl a
expireat a 99999999999
expiretime a
pexpiretime a
expireat a 9223372036854775807
expireat a 9223372036854775
pexpireat a 99999999999999
pexpiretime a
pexpireat a 99999999999499
expiretime a
pexpireat a 99999999999500
expiretime a
pexpireat a 9223372036854775807
pexpiretime a
expiretime a
pexpireat a 99999999999999 gt
expireat a 88888888888 lt
pexpiretime a
expire a 0
exists a
set a 1
expire a -1
exists a
set a 1
expireat a 0
exists a
set a 1
pexpireat a -1
exists a
set a 1 ex 100
expire a -1 gt
exists a
expire a -1 lt
exists a
set a 1
expire a -1 gt
expire a -1 lt
exists a
ttl a
pttl a
expiretime a
pexpiretime a
set a 1
ttl a
pttl a
expiretime a
pexpiretime a
ttl
pttl a b
expiretime
pexpiretime
"""

CONNECTION = rf"""
ping
ping hello
ping ""
ping a b
echo
echo hello
echo a b
select 0
select 15
set db15 1
select 16
select -1
select x
select ""
select 01
select 99999999999
select 9223372036854775808
select
dbsize
select 0
get db15
time
time x
hello
hello 2
hello 3
hello 3
ping
get missing
keys *
hello 3 setname me
client getname
hello 2 setname "a b"
hello 2 setname ""
client getname
hello 3 foo
hello 3 setname
hello 2 auth
hello 2 auth a
hello 2 auth default anything
hello 2 auth nobody anything
hello 3 auth default x setname "bad name"
client getname
hello 3 auth default x setname good
client getname
hello 3 setname kept foo
client getname
hello 3 setname kept2 setname "a b"
client getname
hello 4 setname lost
client getname
hello 1
hello 4
hello x
hello ""
hello 9223372036854775808
hello "3 "
hello 2 "a\nb"
auth a
auth default a
auth nobody a
auth a b c
auth
client
client foo
client id
client id x
client getname
client setname
client setname fine
client getname
client setname "a b"
client setname "a\nb"
client setname "\xff"
client setname ""
client getname
client list
client list type normal
client list type master
client list type replica
client list type pubsub
client list type slave
client list type foo
client list type
client list id
client list id 1x
client list id 999999
client list foo
client list foo bar
client help
client help x
nosuch
nosuch a b c
NoSuch "a\r\nb" "c\x00d" e
nosuch {LONG} b
nosuch {"y" * 100} {"z" * 100} w
{LONG} a
"" a
get
GET a b
client|id
config|get a
"""

SERVER = r"""
config
config foo
config get
config get maxmemory
config get MAXMEMORY
config get max*mory
config get [m]axmemory
config get nothing
config get maxmemory timeout nothing maxmemory
config get databases save proto-max-bulk-len
config set
config set maxmemory
config set nothing 1
config set maxmemory 1 nothing 2
config set maxmemory 1 timeout
config set maxmemory x
config set maxmemory -1
config set maxmemory ""
config set maxmemory 1xb
config set maxmemory 1.5gb
config set maxmemory 100mb
config get maxmemory
config set maxmemory 2GB
config get maxmemory
config set maxmemory 3k
config get maxmemory
config set maxmemory 3kb maxmemory 4kb
config get maxmemory
config set maxmemory 0
config set MAXMEMORY 0
config set timeout x
config set timeout -1
config set timeout 2147483648
config set timeout 1.5
config set timeout 0
config set maxclients 0
config set maxclients x
config set maxclients 4294967296
config set tcp-keepalive x
config set tcp-keepalive 300
config set databases 3
config set unixsocket x
config set proto-max-bulk-len x
config set maxmemory 5mb timeout x
config get maxmemory
config rewrite
config rewrite x
config resetstat
config resetstat x
config help
config help x
command foo
command count
command count x
command docs nothing
command help
command info get set setnx getex mget mset msetnx del unlink exists rename renamenx
command info append auth bgsave client command config dbsize debug decr decrby discard echo
command info exec expire expireat expiretime flushall flushdb function getdel getrange getset hello
command info incr incrby incrbyfloat info keys lastsave multi persist pexpire pexpireat pexpiretime ping
command info psetex pttl quit randomkey save scan select setex setrange shutdown strlen time ttl type
command info unwatch watch GET nothing "" config|get CONFIG|SET client|list config|nothing get|x config|
function
function foo
function flush
function flush sync
function flush ASYNC
function flush foo
function flush sync x
function help
debug
debug foo
debug sleep
debug sleep 0
debug sleep x
debug sleep 0.01
debug sleep 0 x
debug help
info
info server
info SERVER clients
info foo
info keyspace
lastsave
lastsave x
save x
bgsave foo
bgsave schedule x
shutdown foo
shutdown abort
shutdown abort now
shutdown save nosave
shutdown nosave save
shutdown x y z
"""

TRANSACTIONS = r"""
exec
discard
multi x
discard x
exec x
watch
unwatch
unwatch x
multi
multi
set a 1
incr a
incrby a x
get a
mget a b
exec
multi
exec
multi
discard
exec
multi
nosuch
set a 5
exec
get a
multi
get
exec
multi
watch a
set a 6
exec
multi
select 3
set three 3
exec
select 0
get three
multi
save
exec
multi
shutdown
exec
multi
exec x
exec
multi
config foo
exec
multi
unwatch
ping
hello 3
get missing
exec
hello 2
multi
auth x
client setname inside
echo hi
exec
client getname
multi
set r v
rename r s
append s w
setrange s 5 z
getdel s
exists r s
exec
multi
set f 1
incrbyfloat f 0.5
rename f g
incrbyfloat g 1e3
exec
multi
set e v ex 100
ttl e
persist e
ttl e
expire e -1
exists e
set e v exat 1
get e
dbsize
keys *
exec
multi
flushall
dbsize
set after 1
exec
watch a
2> set a 1
multi
get a
exec
watch a
2> get a
2> set other 1
multi
get a
exec
watch a
set a 2
multi
exec
watch a
2> set a 1
unwatch
multi
get a
exec
watch a
2> set a 1
multi
discard
multi
get a
exec
watch missing
2> del missing
2> incrby missing x
multi
ping
exec
watch missing
2> set missing 1
2> del missing
multi
ping
exec
watch a b
2> append b ""
multi
ping
exec
set k v
watch k
2> expire k 100
multi
ping
exec
watch k
2> persist k
multi
ping
exec
watch k
2> persist k
multi
ping
exec
watch k
2> getex k
2> getex k persist
2> ttl k
2> setrange k 0 ""
2> setnx k w
2> set k w nx
2> renamenx k k
2> rename k k
multi
ping
exec
watch k
2> getset k v
multi
ping
exec
watch k
2> rename k l
multi
ping
exec
watch k
2> rename l k
multi
ping
exec
watch nothing
2> set nothing v pxat 1
multi
ping
exec
watch k
2> flushall
multi
ping
exec
watch k
2> flushall
multi
ping
exec
set k v
watch k
select 1
2> flushdb
multi
ping
exec
select 0
set k v
watch k
2> select 1
2> set k w
2> flushdb
2> select 0
multi
ping
exec
watch k
multi
nosuch
2> set k w
exec
watch k
2> set k x
multi
nosuch
exec
watch k k k
2> set k y
multi
get k
exec
hello 3
watch k
2> set k z
multi
get k
exec
multi
nosuch
exec
hello 2
"""

QUIT = r"""
multi
set a 1
quit
get a
quit now
ping
"""

STRANGER = r"""
ping
get a
nosuch
get
multi
exec
exec x
client id
hello
hello 2
hello 3
hello 3 setname a
hello 3 auth
hello 3 auth default wrong
hello 3 auth nobody "a long password"
hello x
auth
auth wrong
auth "a long passwor"
auth "a long password!"
auth ""
auth default wrong
auth nobody "a long password"
auth a b c
command
config get maxmemory
select 0
auth "a long password"
ping
auth wrong
ping
get a
2> hello 3 auth default "a long password" setname me
2> client getname
2> ping
2> hello 2
3> auth default "a long password"
3> ping
4> quit
5> post
6> hello 3 setname x foo
6> hello 3 setname y auth default wrong
6> hello 3 auth default "a long password" foo
6> client getname
7> hello 3 auth default "a long password" auth default wrong
7> ping
8> hello 3 setname z auth default "a long password"
8> client getname
"""

# Bytes that are a connection's whole life.
RAW = [
    b"", b"PING\r\n", b"PING\n", b"ping\r\nPING hello\r\nECHO 'a b'\r\n", b"\r\n\n  \r\nPING\r\n",
    b"*\r\n", b"*a\r\n", b"*01\r\n", b"*1x\r\n", b"*+1\r\n", b"*-0\r\n", b"* 1\r\n", b"*1 \r\n",
    b"*-1\r\nPING\r\n", b"*0\r\nPING\r\n", b"*-10\r\nPING\r\n", b"*2147483648\r\n",
    b"*9223372036854775808\r\n", b"*-9223372036854775809\r\n",
    b"*1\r\n\r\n", b"*1\r\n\n\n\r\n", b"*1\r\nPING\r\n", b"*1\r\n*1\r\n$4\r\nPING\r\n", b"*1\r\n:1\r\n",
    b"*1\r\n\x00\r\n\r\n", b"*1\r\n\x01\r\n", b"*1\r\n\xff\r\n", b"*1\r\n'\r\n",
    b"*1\r\n$-1\r\n", b"*1\r\n$x\r\n", b"*1\r\n$\r\n", b"*1\r\n$04\r\n", b"*1\r\n$ 4\r\n", b"*1\r\n$4 \r\n",
    b"*1\r\n$4194305\r\n", b"*1\r\n$9223372036854775808\r\n", b"*1\r\n$+4\r\nPING\r\n",
    b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n", b"*1\rx$4\ryPING\r\n", b"*1\r\n$4\r\nPING", b"*1\r\n$4\r\nPING\r",
    b"*1", b"*1\r", b"*1\r\n$4", b"*1\r\n$4\r", b"PING", b"PING\r", b"*1\n", b"*1\n\r\n",
    b"*" + b"1" * 70000, b"*1\r\n$" + b"1" * 70000, b"P" * 70000, b"*1\r\n" + b"x" * 70000,
    b"\"PING\r\n", b"\"PING\"x\r\n", b"'PI''NG'\r\n", b"\"\\x50ING\"\r\n", b"PING \"a\\nb\"\r\n",
    b"PING 'a\\nb\\''\r\n", b"PING\x00\r\nPING\r\n", b"PING\r\r\n", b"PING\x0bx\r\n", b"PING \x0bx\x0c\r\n",
    b"PING \"\\xzz\\x4\\a\\b\\t\\r\\q\"\r\n", b"PING \"a\rb\"\r\n", b"PI\rNG\r\n", b"PING \"\\\r\n", b"'PING\\'\r\n",
    b"\"\"\r\n", b"'' a\r\n", b"PING ''\r\n", b"PING \"\" \r\n", b"PING \xff\xfe\r\n", b"\xffPING\r\n",
    b"POST\r\nPING\r\n", b"Host: a\r\nPING\r\n", b"post a b\r\n", b"POST / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"*1\r\n$4\r\nPOST\r\n", b"*1\r\n$5\r\nhost:\r\n*1\r\n$4\r\nPING\r\n",
    b"PING\r\n" * 3 + b"QUIT\r\nPING\r\n", b"QUIT\r\n*x\r\n", b"MULTI\r\nQUIT\r\n", b"MULTI\r\n*x\r\n",
    b"MULTI\r\nSET a 1\r\nEXEC\r\n", b"SET a 1\r\nGET a\r\n*x\r\nSET a 2\r\n", b"GET a\r\n",
    b"*2\r\n$4\r\nECHO\r\n$5\r\na\r\nbc\r\n", b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n:1\r\n",
    b"HELLO 3\r\nGET missing\r\nMGET x y\r\nCONFIG GET timeout\r\nFOO\r\nMULTI\r\nGET missing\r\nEXEC\r\n"
    b"WATCH q\r\nSET q 1\r\nMULTI\r\nEXEC\r\n*x\r\n",
    b"PING\r\n\"\r\nPING\r\n", b"*1\r\n$0\r\n\r\n", b"*2\r\n$0\r\n\r\n$0\r\n\r\n",
    b"*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$4000000\r\n" + b"v" * 4000000 + b"\r\n*2\r\n$6\r\nSTRLEN\r\n$1\r\nb\r\n",
    b"*1001\r\n$4\r\nMGET\r\n" + b"$1\r\na\r\n" * 1000,
]

RAW_STRANGER = [b"*11\r\n", b"*10\r\n", b"*1\r\n$16385\r\n", b"*1\r\n$16384\r\n", b"*x\r\n", b"*1\r\n$x\r\n",
                b"PING " + b"x" * 20000 + b"\r\n", b"*2\r\n$4\r\nAUTH\r\n$15\r\na long password\r\n*11\r\n",
                b"AUTH 'a long password'\r\n*1\r\n$20000\r\n"]

SCRIPTS = {"set": SET, "getex": GETEX, "several": SEVERAL, "range": RANGE, "counters": COUNTERS, "floats": FLOATS,
           "keys": KEYS, "patterns": PATTERNS, "scan": SCAN, "expire": EXPIRE, "connection": CONNECTION,
           "server": SERVER, "transactions": TRANSACTIONS, "quit": QUIT}


def words_of(line):
    """The words of a line, as bytes; escapes within double quotes."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="")
    lexer.whitespace_split, lexer.commenters, lexer.escapedquotes, lexer.quotes = True, "", "", '"'
    lexer.escape = ""
    return [word.encode("latin-1").decode("unicode_escape").encode("latin-1") for word in lexer]


def steps_of(text):
    """The steps of a script."""
    steps = []
    for line in text.split("\n"):
        if not line.strip():
            continue
        name = "1"
        if line[1:3] == "> ":
            name, line = line[0], line[3:]
        steps.append((name, words_of(line)))
    return steps
