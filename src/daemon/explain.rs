//! `truechimer explain restrict ADDRESS`: what somebody may do with us, and which lines say so.
use crate::cli;
use crate::exit::Exit;
use crate::files::config::Origin;
use crate::paths;
use crate::translate::access::{self, Explanation};
use clap::Args;
use core::net::{IpAddr, SocketAddr};
use serde_json::{Value, json};
use std::path::PathBuf;
use truechimer_config::settings::{Host, Settings};
use truechimer_proto::server::{Origin as RuleOrigin, RestrictFlags, Ruling};

/// A port that is not NTP's, as most clients have.
const OTHER_PORT: u16 = 1024;
const NTP_PORT: u16 = 123;

/// What is asked.
#[derive(Debug, Args)]
pub struct Question {
    /// An IPv4 or IPv6 address
    #[arg(value_name = "ADDRESS", value_parser = address)]
    address: IpAddr,
    /// As if it were a server in use, as those of a pool are
    #[arg(long = "source")]
    as_source: bool,
    /// Configuration file
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// The address of somebody, with brackets or a zone where need be: rules do not look at zones.
///
/// # Errors
/// In words, for what is no address.
fn address(text: &str) -> Result<IpAddr, String> {
    let bare = text.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let bare = bare.unwrap_or(text);
    let (address, zone) = match bare.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (bare, None),
    };
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) if zone.is_some() => Err("an IPv4 address has no zone".to_owned()),
        Ok(address) => Ok(address.to_canonical()),
        Err(_) => Err("an IPv4 or IPv6 address; names are not looked up".to_owned()),
    }
}

/// Answers it.
pub fn restrict(question: &Question) -> Exit {
    let origin = Origin::find(question.config.as_deref(), &paths::configurations());
    let name = origin.name();
    let parsed = match origin.read() {
        Ok(parsed) => parsed,
        Err(error) => {
            cli::print_error(&format!("truechimer: {name}: {error}\n"));
            return Exit::Configuration;
        }
    };
    if parsed.has_errors() {
        cli::print_error(&parsed.render(false));
        cli::print_error("truechimer: no daemon would run on this; see `truechimer check`\n");
        return Exit::Configuration;
    }
    let answers = answers(&parsed.settings, question.address, question.as_source);
    cli::print(&if question.json {
        format!("{}\n", as_json(question.address, &name, &answers))
    } else {
        as_text(question.address, &name, &answers)
    });
    Exit::Good
}

/// What holds for packets from some ports.
#[derive(Debug)]
struct Answer {
    /// `any`, `123` or `other`.
    ports: &'static str,
    as_source: bool,
    explanation: Explanation,
    /// What may be done, and how far.
    rights: Vec<(&'static str, String)>,
}

impl Answer {
    fn flags(&self) -> RestrictFlags {
        flags(&self.explanation)
    }
}

fn flags(explanation: &Explanation) -> RestrictFlags {
    let ruling = explanation.ruling;
    ruling.map_or(RestrictFlags::NONE, |ruling| ruling.rule.flags)
}

/// One answer, or two where port 123 makes a difference.
fn answers(settings: &Settings, address: IpAddr, as_source: bool) -> Vec<Answer> {
    let named = |host: &Host| matches!(host, Host::Address(it) if it.to_canonical() == address);
    let mut sources = settings.associations.iter();
    let as_source = as_source || sources.any(|it| named(&it.host));
    let answer = |ports: &'static str, port: u16| {
        let explanation = access::explain(settings, SocketAddr::new(address, port), as_source);
        Answer {
            ports,
            as_source,
            rights: rights(settings, &explanation),
            explanation,
        }
    };
    let (ntp, other) = (answer("123", NTP_PORT), answer("other", OTHER_PORT));
    if ntp.explanation == other.explanation {
        vec![answer("any", OTHER_PORT)]
    } else {
        vec![ntp, other]
    }
}

fn rights(settings: &Settings, explanation: &Explanation) -> Vec<(&'static str, String)> {
    let flags = flags(explanation);
    let has = |flag| flags.contains(flag);
    if has(RestrictFlags::IGNORE) {
        return vec![(
            "everything",
            "no: every packet is dropped (ignore)".to_owned(),
        )];
    }
    let limit = explanation.ruling.and_then(|it| it.rule.ip_peer_limit);
    let changes = if has(RestrictFlags::NOQUERY) {
        "no (noquery)"
    } else if has(RestrictFlags::NOMODIFY) {
        "no (nomodify)"
    } else if settings.authentication.control_key.is_none() {
        "no: there is no controlkey"
    } else {
        "with the control key"
    };
    let list = if has(RestrictFlags::NOQUERY) {
        "no (noquery)"
    } else if has(RestrictFlags::NOMRULIST) {
        "no (nomrulist)"
    } else {
        "yes"
    };
    let peering = if has(RestrictFlags::NOEPEER) {
        "no (noepeer)".to_owned()
    } else {
        // Nobody is a peer unasked without a key, whether `nopeer` says so or not.
        let who = "with a key only";
        limit.map_or_else(
            || who.to_owned(),
            |most| format!("{who}, {most} at most (ippeerlimit)"),
        )
    };
    let yes_unless = |flag, no: &str| if has(flag) { no } else { "yes" }.to_owned();
    vec![
        ("time", time(flags)),
        ("rate limit", rate_limit(flags)),
        (
            "queries",
            yes_unless(RestrictFlags::NOQUERY, "no (noquery)"),
        ),
        ("list of clients", list.to_owned()),
        ("changes", changes.to_owned()),
        ("peering", peering),
        ("traps", yes_unless(RestrictFlags::NOTRAP, "no (notrap)")),
    ]
}

fn time(flags: RestrictFlags) -> String {
    if flags.contains(RestrictFlags::NOSERVE) {
        return "no (noserve)".to_owned();
    }
    let conditions: Vec<&str> = [
        (RestrictFlags::NOTRUST, "with a key only (notrust)"),
        (RestrictFlags::VERSION, "in version 4 only (version)"),
        (RestrictFlags::FLAKE, "one packet in ten is lost (flake)"),
        (
            RestrictFlags::SERVERRESPONSE_FUZZ,
            "low bits blurred (serverresponse fuzz)",
        ),
    ]
    .into_iter()
    .filter_map(|(flag, words)| flags.contains(flag).then_some(words))
    .collect();
    if conditions.is_empty() {
        "yes".to_owned()
    } else {
        conditions.join(", ")
    }
}

fn rate_limit(flags: RestrictFlags) -> String {
    match (
        flags.contains(RestrictFlags::LIMITED),
        flags.contains(RestrictFlags::KOD),
    ) {
        (false, _) => "none",
        (true, false) => "yes (limited): what is over it gets no answer",
        (true, true) => "yes (limited kod): what is over it gets a kiss-o'-death now and then",
    }
    .to_owned()
}

fn words(flags: RestrictFlags) -> Vec<&'static str> {
    let all = RestrictFlags::WORDS.iter();
    all.filter(|(_, flag)| flags.contains(*flag))
        .map(|(word, _)| *word)
        .collect()
}

/// What the rule is about, as a `restrict` line has it.
fn subject(ruling: &Ruling) -> String {
    let network = ruling.rule.network;
    let port = if ruling.rule.ntp_port_only {
        " ntpport"
    } else {
        ""
    };
    format!("{}/{}{port}", network.address(), network.prefix_bits())
}

fn as_text(address: IpAddr, name: &str, answers: &[Answer]) -> String {
    let mut text = String::new();
    for answer in answers {
        let who = if answer.as_source {
            ", a server of ours"
        } else {
            ""
        };
        let from = match answer.ports {
            "any" => String::new(),
            "123" => ", from port 123".to_owned(),
            _ => ", from other ports".to_owned(),
        };
        let flags = words(answer.flags());
        let flags = if flags.is_empty() {
            "no restriction".to_owned()
        } else {
            flags.join(" ")
        };
        text.push_str(&format!("{address}{who}{from}: {flags}\n"));
        text.push_str(&format!("  {:<16}{}\n", "said by", said_by(answer, name)));
        for (what, how_far) in &answer.rights {
            text.push_str(&format!("  {what:<16}{how_far}\n"));
        }
    }
    text
}

fn said_by(answer: &Answer, name: &str) -> String {
    let Some(ruling) = &answer.explanation.ruling else {
        return format!("nothing in {name}: no rule is about it");
    };
    let places: Vec<String> = answer
        .explanation
        .lines
        .iter()
        .map(|span| format!("{}:{}", span.file, span.line))
        .collect();
    if places.is_empty() {
        return format!("built-in default for {}", subject(ruling));
    }
    format!("{} ({})", places.join(", "), subject(ruling))
}

fn as_json(address: IpAddr, name: &str, answers: &[Answer]) -> Value {
    let one = |answer: &Answer| {
        let ruling = answer.explanation.ruling.as_ref();
        let places =
            answer.explanation.lines.iter().map(
                |span| json!({ "file": &*span.file, "line": span.line, "column": span.column }),
            );
        let rights = answer.rights.iter();
        let rights: serde_json::Map<String, Value> = rights
            .map(|(what, how_far)| (what.replace(' ', "_"), json!(how_far)))
            .collect();
        json!({
            "ports": answer.ports,
            "as_source": answer.as_source,
            "flags": words(answer.flags()),
            "rule": ruling.map(subject),
            "origin": ruling.map(|ruling| match ruling.origin {
                RuleOrigin::BuiltIn => "built-in",
                RuleOrigin::Operator => "restrict",
                RuleOrigin::Source => "source",
            }),
            "places": places.collect::<Vec<_>>(),
            "rights": rights,
        })
    };
    json!({
        "address": address,
        "configuration": name,
        "answers": answers.iter().map(one).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_config::{NoFiles, parse};

    const TEXT: &str = "\
server 192.0.2.5
restrict default nomodify noquery limited kod
restrict 192.0.2.0 mask 255.255.255.0 notrust
restrict 198.51.100.0/24 noserve ippeerlimit 2
restrict 198.51.100.7 ntpport ignore
restrict -6 default nopeer
restrict source noquery nomodify
";

    fn told(whom: &str) -> String {
        let settings = parse("ntp.conf", TEXT.as_bytes(), &NoFiles).settings;
        let address = address(whom).expect("an address");
        as_text(address, "ntp.conf", &answers(&settings, address, false))
    }

    #[test]
    fn flags_places_and_rights() {
        assert_eq!(
            told("203.0.113.9"),
            "203.0.113.9: limited kod noquery nomodify\n  \
             said by         ntp.conf:2 (0.0.0.0/0)\n  \
             time            yes\n  \
             rate limit      yes (limited kod): what is over it gets a kiss-o'-death now and then\n  \
             queries         no (noquery)\n  \
             list of clients no (noquery)\n  \
             changes         no (noquery)\n  \
             peering         with a key only\n  \
             traps           yes\n"
        );
        let keyed = told("::ffff:192.0.2.9");
        assert!(keyed.starts_with("192.0.2.9: notrust\n"), "{keyed}");
        assert!(keyed.contains("with a key only (notrust)") && keyed.contains("ntp.conf:3"));
        let six = told("2001:db8::1");
        assert!(six.contains("ntp.conf:2, ntp.conf:6 (::/0)"), "{six}");
    }

    #[test]
    fn a_server_of_ours_and_ourselves() {
        let server = told("192.0.2.5");
        assert!(
            server.starts_with("192.0.2.5, a server of ours: "),
            "{server}"
        );
        assert!(server.contains("ntp.conf:7"), "{server}");
        let loopback = told("127.0.0.1");
        assert!(
            loopback.contains("built-in default for 127.0.0.1/32"),
            "{loopback}"
        );
        assert!(loopback.contains("queries         yes"), "{loopback}");
    }

    #[test]
    fn the_port_may_make_a_difference() {
        let both = told("198.51.100.7");
        let (ntp, other) = both
            .split_once("198.51.100.7, from other ports")
            .expect("two");
        assert!(ntp.contains("from port 123: ignore") && ntp.contains("every packet is dropped"));
        assert!(other.contains("no (noserve)") && other.contains("2 at most (ippeerlimit)"));
    }

    #[test]
    fn addresses() {
        let is = |text: &str| address(text).map(|it| it.to_string());
        assert_eq!(is("[::1]"), Ok("::1".to_owned()));
        assert_eq!(is("fe80::1%eth0"), Ok("fe80::1".to_owned()));
        assert_eq!(is("::ffff:10.0.0.1"), Ok("10.0.0.1".to_owned()));
        for bad in ["", "ntp.example", "10.0.0.1%eth0", "10.0.0.0/8"] {
            is(bad).expect_err(bad);
        }
    }

    #[test]
    fn json_has_the_same() {
        let settings = parse("ntp.conf", TEXT.as_bytes(), &NoFiles).settings;
        let whom = address("198.51.100.7").expect("an address");
        let told = as_json(whom, "ntp.conf", &answers(&settings, whom, false));
        assert_eq!(told["answers"][0]["flags"], json!(["ignore"]));
        assert_eq!(told["answers"][0]["ports"], "123");
        assert_eq!(told["answers"][1]["origin"], "restrict");
        assert_eq!(told["answers"][1]["places"][0]["line"], 4);
        assert_eq!(told["answers"][1]["rights"]["time"], "no (noserve)");
    }
}
