//! The commands: names, arguments, what they are for.
use super::super::dialogue::{Command, Kind, Parameter, command, delay, may, need};
use super::state::Ntpdc;
use super::{builtins, changes, lists, peers, tables};

/// A reference clock, a peer or more of them.
const PEERS: &[Parameter] = &[
    need(Kind::Address, "peer_address"),
    may(Kind::Address, "peer2_addr"),
    may(Kind::Address, "peer3_addr"),
    may(Kind::Address, "peer4_addr"),
];
const FAMILY: &[Parameter] = &[may(Kind::Family, "-4|-6")];
const KEYS: &[Parameter] = &[
    need(Kind::Unsigned, "keyid"),
    may(Kind::Unsigned, "keyid"),
    may(Kind::Unsigned, "keyid"),
    may(Kind::Unsigned, "keyid"),
];
const CLOCKS: &[Parameter] = &[
    need(Kind::Address, "address"),
    may(Kind::Address, "address"),
    may(Kind::Address, "address"),
    may(Kind::Address, "address"),
];
const ASSOCIATION: &[Parameter] = &[
    need(Kind::Address, "addr"),
    may(Kind::Word, "keyid"),
    may(Kind::Word, "version"),
    may(
        Kind::Word,
        "minpoll#|prefer|burst|iburst|'minpoll N'|'maxpoll N'|'keyid N'|'version N' ...",
    ),
];
const FLAGS: &[Parameter] = &[
    need(Kind::Word, "auth|bclient|monitor|pll|kernel|stats"),
    may(Kind::Word, "..."),
    may(Kind::Word, "..."),
    may(Kind::Word, "..."),
];
const RULE: &[Parameter] = &[
    need(Kind::Address, "address"),
    need(Kind::Address, "mask"),
    need(
        Kind::Word,
        "ntpport|ignore|noserve|notrust|noquery|nomodify|nopeer|version|kod",
    ),
    may(Kind::Word, "..."),
];
const TRAP: &[Parameter] = &[
    need(Kind::Address, "address"),
    may(Kind::Unsigned, "port"),
    may(Kind::Address, "interface"),
];

/// All commands beside those that every such program has; those about the program itself first.
pub(super) const COMMANDS: &[Command<Ntpdc>] = &[
    command(
        "delay",
        &[may(Kind::Signed, "msec")],
        "added to time stamps of sealed requests",
        delay,
    ),
    command(
        "keyid",
        &[may(Kind::Unsigned, "key#")],
        "the key requests are sealed with",
        builtins::keyid,
    ),
    command(
        "listpeers",
        FAMILY,
        "the peers and our modes towards them",
        peers::list,
    ),
    command(
        "peers",
        FAMILY,
        "the peers, a line each, by mode",
        peers::peers,
    ),
    command(
        "dmpeers",
        FAMILY,
        "the peers, a line each, by what the selection made of them",
        peers::selection,
    ),
    command("showpeer", PEERS, "all about peers", peers::show),
    command("pstats", PEERS, "counters of peers", peers::stats),
    command(
        "loopinfo",
        &[may(Kind::Word, "oneline|multiline")],
        "the state of the clock discipline",
        tables::loopinfo,
    ),
    command(
        "sysinfo",
        &[],
        "the state of the server's clock",
        tables::sysinfo,
    ),
    command(
        "sysstats",
        &[],
        "how long the server runs, and its packets",
        tables::sysstats,
    ),
    command(
        "memstats",
        &[],
        "counters of peers' memory",
        tables::memstats,
    ),
    command(
        "iostats",
        &[],
        "counters of the server's sockets",
        tables::iostats,
    ),
    command(
        "timerstats",
        &[],
        "counters of the server's timer",
        tables::timerstats,
    ),
    command(
        "addpeer",
        ASSOCIATION,
        "have the server keep time with a peer",
        changes::add_peer,
    ),
    command(
        "addserver",
        ASSOCIATION,
        "have the server ask another",
        changes::add_server,
    ),
    command(
        "addrefclock",
        &[
            need(Kind::Address, "addr"),
            may(Kind::Word, "mode"),
            may(Kind::Word, "minpoll|prefer"),
            may(Kind::Word, "minpoll|prefer"),
        ],
        "have the server use a reference clock",
        changes::add_clock,
    ),
    command(
        "broadcast",
        &[
            need(Kind::Address, "addr"),
            may(Kind::Word, "keyid"),
            may(Kind::Word, "version"),
            may(Kind::Word, "minpoll"),
        ],
        "have the server tell many the time",
        changes::broadcast,
    ),
    command(
        "unconfig",
        PEERS,
        "have the server drop associations",
        changes::remove,
    ),
    command(
        "enable",
        FLAGS,
        "set system flags (auth, bclient, calibrate, kernel, monitor, ntp, pps, stats)",
        changes::enable,
    ),
    command(
        "disable",
        FLAGS,
        "clear system flags (auth, bclient, calibrate, kernel, monitor, ntp, pps, stats)",
        changes::disable,
    ),
    command("reslist", FAMILY, "the server's access rules", lists::rules),
    command(
        "restrict",
        RULE,
        "add flags to an access rule, or make it",
        changes::restrict,
    ),
    command(
        "unrestrict",
        RULE,
        "take flags from an access rule",
        changes::unrestrict,
    ),
    command(
        "delrestrict",
        &[
            need(Kind::Address, "address"),
            need(Kind::Address, "mask"),
            may(Kind::Word, "ntpport"),
        ],
        "remove an access rule",
        changes::delete_rule,
    ),
    command(
        "monlist",
        &[may(Kind::Signed, "version")],
        "the server's recent clients, which no safe server lists any more",
        lists::clients,
    ),
    command(
        "reset",
        &[
            need(Kind::Word, "io|sys|mem|timer|auth|ctl|allpeers"),
            may(Kind::Word, "..."),
            may(Kind::Word, "..."),
            may(Kind::Word, "..."),
        ],
        "have counters begin anew",
        changes::reset,
    ),
    command(
        "preset",
        PEERS,
        "have counters of peers begin anew",
        changes::reset_peers,
    ),
    command(
        "readkeys",
        &[],
        "have the server read its keys again",
        changes::read_keys,
    ),
    command(
        "trustedkey",
        KEYS,
        "have the server trust keys",
        changes::trust,
    ),
    command(
        "untrustedkey",
        KEYS,
        "have the server trust keys no more",
        changes::distrust,
    ),
    command(
        "authinfo",
        &[],
        "counters of keys and digests",
        tables::authinfo,
    ),
    command("traps", &[], "the traps set in the server", lists::traps),
    command(
        "addtrap",
        TRAP,
        "set a trap in the server",
        changes::add_trap,
    ),
    command(
        "clrtrap",
        TRAP,
        "remove a trap from the server",
        changes::clear_trap,
    ),
    command(
        "requestkey",
        &[need(Kind::Unsigned, "keyid")],
        "have another key authenticate private requests",
        changes::request_key,
    ),
    command(
        "controlkey",
        &[need(Kind::Unsigned, "keyid")],
        "have another key authenticate control messages",
        changes::control_key,
    ),
    command(
        "ctlstats",
        &[],
        "counters of control messages",
        tables::ctlstats,
    ),
    command(
        "clockstat",
        CLOCKS,
        "the state of reference clocks",
        lists::clocks,
    ),
    command(
        "fudge",
        &[
            need(Kind::Address, "address"),
            need(Kind::Word, "time1|time2|val1|val2|flags"),
            need(Kind::Word, "value"),
        ],
        "set a fudge factor of a reference clock",
        changes::fudge,
    ),
    command(
        "clkbug",
        CLOCKS,
        "what a reference clock's driver keeps for its authors",
        lists::clock_bugs,
    ),
    command(
        "kerninfo",
        &[],
        "the state of the kernel's clock",
        tables::kerninfo,
    ),
    command(
        "ifstats",
        &[],
        "the server's addresses and their counters",
        lists::interfaces,
    ),
    command(
        "ifreload",
        &[],
        "have the server look for addresses again",
        lists::rescan,
    ),
];
