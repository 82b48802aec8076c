//! The commands: names, arguments, what they are for.
use super::super::dialogue::{Command, Kind, Parameter, command, delay, may, need};
use super::state::Ntpq;
use super::{associations, builtins, configure, lists, mrulist, peers, tables, variables};

const FAMILY: &[Parameter] = &[may(Kind::Family, "-4|-6")];
const ASSOCIATION: &[Parameter] = &[may(Kind::Unsigned, "assocID")];
const VARIABLES: &[Parameter] = &[
    may(Kind::Unsigned, "assocID"),
    may(Kind::Word, "varname1"),
    may(Kind::Word, "varname2"),
    may(Kind::Word, "varname3"),
];
const RANGE: &[Parameter] = &[
    need(Kind::Unsigned, "assocIDlow"),
    need(Kind::Unsigned, "assocIDhigh"),
];
const RANGE_AND_NAMES: &[Parameter] = &[
    need(Kind::Unsigned, "assocIDlow"),
    need(Kind::Unsigned, "assocIDhigh"),
    may(Kind::Word, "name=value[,...]"),
];
const CLOCK: &[Parameter] = &[
    may(Kind::Unsigned, "assocID"),
    may(Kind::Word, "name=value[,...]"),
];
const TAGS: &[Parameter] = &[
    may(Kind::Word, "tag=value"),
    may(Kind::Word, "tag=value"),
    may(Kind::Word, "tag=value"),
    may(Kind::Word, "tag=value"),
];
const YES_NO: &[Parameter] = &[may(Kind::Word, "yes|no")];

/// All commands beside those that every such program has; those about the program itself first.
pub(super) const COMMANDS: &[Command<Ntpq>] = &[
    command(
        "delay",
        &[may(Kind::Signed, "msec")],
        "added to time stamps of sealed requests, for old servers",
        delay,
    ),
    command(
        "poll",
        &[may(Kind::Unsigned, "n"), may(Kind::Word, "verbose")],
        "ask a server for the time",
        builtins::poll,
    ),
    command(
        "keyid",
        &[may(Kind::Unsigned, "key#")],
        "the key requests are sealed with",
        builtins::keyid,
    ),
    command(
        "drefid",
        &[may(Kind::Word, "hash|ipv4")],
        "reference identifiers as numbers or addresses",
        builtins::drefid,
    ),
    command("raw", &[], "show variables as they come", builtins::raw),
    command("cooked", &[], "show variables for people", builtins::cooked),
    command(
        "authenticate",
        YES_NO,
        "whether all requests are sealed",
        builtins::authenticate,
    ),
    command(
        "ntpversion",
        &[may(Kind::Unsigned, "version number")],
        "the version of NTP requests claim",
        builtins::ntpversion,
    ),
    command(
        "saveconfig",
        &[need(Kind::Word, "filename")],
        "have the server write its configuration to a file",
        configure::save,
    ),
    command(
        "associations",
        &[],
        "fetch and show the associations",
        associations::fetch_and_show,
    ),
    command(
        "passociations",
        &[],
        "show the associations fetched last",
        associations::show,
    ),
    command(
        "lassociations",
        &[],
        "fetch and show all associations, clients too",
        associations::fetch_and_show_all,
    ),
    command(
        "lpassociations",
        &[],
        "show all associations fetched last",
        associations::show_all,
    ),
    command(
        "addvars",
        &[need(Kind::Word, "name[=value][,...]")],
        "add to the variable list",
        variables::add,
    ),
    command(
        "rmvars",
        &[need(Kind::Word, "name[,...]")],
        "take from the variable list",
        variables::remove,
    ),
    command(
        "clearvars",
        &[],
        "empty the variable list",
        variables::clear,
    ),
    command("showvars", &[], "show the variable list", variables::show),
    command(
        "readlist",
        ASSOCIATION,
        "read the variables of the list",
        variables::read_list,
    ),
    command(
        "rl",
        ASSOCIATION,
        "read the variables of the list",
        variables::read_list,
    ),
    command(
        "writelist",
        ASSOCIATION,
        "write the variables of the list",
        variables::write_list,
    ),
    command(
        "readvar",
        VARIABLES,
        "read variables of the system or of a peer",
        variables::read_variables,
    ),
    command(
        "rv",
        VARIABLES,
        "read variables of the system or of a peer",
        variables::read_variables,
    ),
    command(
        "writevar",
        &[
            need(Kind::Unsigned, "assocID"),
            need(Kind::Word, "name=value,[...]"),
        ],
        "write variables of the system or of a peer",
        variables::write_variables,
    ),
    command(
        "mreadlist",
        RANGE,
        "read the variables of the list from several peers",
        variables::read_many_lists,
    ),
    command(
        "mrl",
        RANGE,
        "read the variables of the list from several peers",
        variables::read_many_lists,
    ),
    command(
        "mreadvar",
        RANGE_AND_NAMES,
        "read variables of several peers",
        variables::read_many,
    ),
    command(
        "mrv",
        RANGE_AND_NAMES,
        "read variables of several peers",
        variables::read_many,
    ),
    command(
        "clocklist",
        ASSOCIATION,
        "read the clock variables of the list",
        variables::read_clock_list,
    ),
    command(
        "cl",
        ASSOCIATION,
        "read the clock variables of the list",
        variables::read_clock_list,
    ),
    command(
        "clockvar",
        CLOCK,
        "read variables of a reference clock",
        variables::read_clock,
    ),
    command(
        "cv",
        CLOCK,
        "read variables of a reference clock",
        variables::read_clock,
    ),
    command(
        "pstats",
        &[need(Kind::Unsigned, "assocID")],
        "counters of a peer",
        tables::pstats,
    ),
    command("peers", FAMILY, "the peers, a line each", peers::peers),
    command(
        "apeers",
        FAMILY,
        "the peers with their association numbers",
        peers::numbered,
    ),
    command(
        "lpeers",
        FAMILY,
        "all peers and clients, a line each",
        peers::all_peers,
    ),
    command(
        "opeers",
        FAMILY,
        "the peers with our own address",
        peers::local,
    ),
    command(
        "lopeers",
        FAMILY,
        "all peers and clients with our own address",
        peers::all_local,
    ),
    command(
        ":config",
        &[need(Kind::Word, "<configuration command line>")],
        "have the server take a line of configuration",
        configure::config,
    ),
    command(
        "config-from-file",
        &[need(Kind::Word, "<configuration filename>")],
        "have the server take the lines of a file",
        configure::config_from_file,
    ),
    command(
        "mrulist",
        TAGS,
        "the server's recent clients; tags mincount= resall= resany= laddr= sort=",
        mrulist::mrulist,
    ),
    command(
        "ifstats",
        &[],
        "the server's addresses and their counters",
        lists::ifstats,
    ),
    command("reslist", &[], "the server's access rules", lists::reslist),
    command(
        "sysinfo",
        &[],
        "the state of the server's clock",
        tables::sysinfo,
    ),
    command(
        "kerninfo",
        &[],
        "the state of the kernel's clock",
        tables::kerninfo,
    ),
    command(
        "sysstats",
        &[],
        "how long the server runs, and its packets",
        tables::sysstats,
    ),
    command(
        "monstats",
        &[],
        "size and bounds of the list of recent clients",
        tables::monstats,
    ),
    command(
        "authinfo",
        &[],
        "counters of keys and digests",
        tables::authinfo,
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
];
