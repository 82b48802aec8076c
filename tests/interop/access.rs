//! Who is answered: ntpd 4.2.8p15 and truechimer are given the same `restrict` lines and sent the
//! same packets, and must decide alike on every one.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use truechimer_crypto::{KeyTable, Keyring};
use truechimer_proto::authentication::{Authenticator, KeyId};
use truechimer_tests::support::crowd::{Question, ask, own_network};
use truechimer_tests::support::upstreams::ntpd;
use truechimer_tests::support::wait::{seconds, until_true};
use truechimer_tests::support::{Host, Tree, Truechimer, World};

/// Key 1 is trusted, key 2 is not.
const KEYS: &str = "1 SHA1 one-for-all\n2 SHA1 nobody-trusts-me\n";

/// Whom the tests themselves need.
const OPEN: &str = "restrict 127.0.0.1
restrict ::1
restrict 10.99.250.0 mask 255.255.255.0
restrict fd99:250:: mask ffff:ffff::
";

/// What comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Nothing,
    Time,
    /// With a MAC.
    KeyedTime,
    CryptoNak,
    Kiss,
}
use Answer::{CryptoNak, KeyedTime, Kiss, Nothing, Time};

/// What is sent: a packet of this version and mode, or one of version 4 and mode 3 with a MAC.
#[derive(Clone, Copy, Debug)]
enum Packet {
    Plain(u8, u8),
    Keyed(u32),
    WrongMac(u32),
    /// A control message that reads the status.
    Query,
}
use Packet::{Keyed, Plain, Query, WrongMac};

const ASK: Packet = Plain(4, 3);

/// Source, milliseconds from the beginning, packet, and the right answer.
type Case = (&'static str, u64, Packet, Answer);

fn octets(packet: Packet, nonce: u16) -> Vec<u8> {
    let (version, mode) = match packet {
        Plain(version, mode) => (version, mode),
        Keyed(_) | WrongMac(_) => (4, 3),
        Query => {
            let [high, low] = nonce.to_be_bytes();
            return vec![0x16, 1, high, low, 0, 0, 0, 0, 0, 0, 0, 0];
        }
    };
    let mut octets = vec![0; 48];
    octets[0] = version << 3 | mode;
    octets[2] = 6;
    octets[40..46].copy_from_slice(b"nonce-");
    octets[46..].copy_from_slice(&nonce.to_be_bytes());
    if let Keyed(id) | WrongMac(id) = packet {
        let (file, complaints) = truechimer_crypto::keys::parse(KEYS.as_bytes());
        assert!(complaints.is_empty());
        let key = KeyId::symmetric(id).expect("a symmetric key");
        let mut keyring = Keyring::new(Arc::new(KeyTable::new(file, [key])));
        let mut digest = [0; 64];
        let len = keyring.seal(key, &octets, &mut digest).expect("sealed");
        octets.extend(id.to_be_bytes());
        octets.extend(&digest[..len]);
        if let (WrongMac(_), Some(last)) = (packet, octets.last_mut()) {
            *last ^= 1;
        }
    }
    octets
}

fn answer(octets: Option<&[u8]>) -> Answer {
    match octets {
        None => Nothing,
        Some(octets) if octets.get(1) == Some(&0) && octets.get(12..16) == Some(b"RATE") => Kiss,
        Some(octets) => match octets.len() {
            48 => Time,
            52 => CryptoNak,
            _ => KeyedTime,
        },
    }
}

/// The decisions of both, in the order of the cases.
struct Rivals<'a> {
    ntpd: Host<'a>,
    ours: Host<'a>,
    asker: Host<'a>,
}

impl Rivals<'_> {
    /// Starts both with these lines, and asks; gives the decisions of ntpd and of ours.
    fn decide(&self, lines: &str, cases: &[Case]) -> [Vec<Answer>; 2] {
        let lines = format!("{lines}\n{OPEN}");
        self.ntpd.write("ntp.keys", KEYS);
        let keys = |path: &str| format!("keys {path}\ntrustedkey 1\n");
        let _ntpd = ntpd(self.ntpd, Tree::Ntp4, &(keys("/lab/ntp.keys") + &lines));
        let path = self.ours.write("ntp.keys", KEYS).display().to_string();
        let _ours = Truechimer::start(self.ours, &(keys(&path) + &lines));
        for host in [self.ntpd, self.ours] {
            self.wait_answers(host);
        }
        [self.ntpd, self.ours].map(|host| self.ask_all(host, cases))
    }

    /// Over both families: neighbours have to find each other first.
    fn wait_answers(&self, host: Host<'_>) {
        let mut times = 0_u16;
        until_true("the first answers", seconds(20), || {
            times += 1;
            // A late answer to the last attempt must not be met in this one.
            let first = ["10.99.250.1", "fd99:250::1"].map(|source| {
                let address: IpAddr = source.parse().expect("an address");
                let source = SocketAddr::new(address, 5000 + times);
                question(address.to_string(), 0, source, octets(ASK, times))
            });
            let answers = ask(self.asker, host, &first);
            answers.values().all(Option::is_some)
        });
    }

    fn ask_all(&self, host: Host<'_>, cases: &[Case]) -> Vec<Answer> {
        let questions: Vec<Question> = (0_u16..)
            .zip(cases)
            .map(|(number, (source, at_ms, packet, _))| {
                let source = source.parse().expect("a source");
                question(number.to_string(), *at_ms, source, octets(*packet, number))
            })
            .collect();
        let answers: BTreeMap<_, _> = ask(self.asker, host, &questions);
        let of = |number: usize| answers.get(&number.to_string()).cloned().flatten();
        (0..cases.len())
            .map(|number| answer(of(number).as_deref()))
            .collect()
    }
}

fn question(name: String, at_ms: u64, source: SocketAddr, octets: Vec<u8>) -> Question {
    let address: IpAddr = source.ip();
    Question {
        name,
        at_ms,
        source: (address, source.port()),
        octets,
    }
}

/// Starts ntpd and truechimer with these lines, and has both decide the cases.
fn compare(lines: &str, cases: &[Case]) {
    let world = World::new(3);
    let rivals = Rivals {
        ntpd: world.host(1),
        ours: world.host(2),
        asker: world.host(3),
    };
    let both = [rivals.ntpd, rivals.ours];
    for network in ["10.99.0.0/16", "fd99::/16", "2001:db8:b19:3bb0::/64"] {
        own_network(rivals.asker, network, &both);
    }
    let [ntpd, ours] = rivals.decide(lines, cases);
    let mut wrong = Vec::new();
    for ((case, ntpd), ours) in cases.iter().zip(ntpd).zip(ours) {
        if ntpd != case.3 || ours != case.3 {
            wrong.push(format!("{case:?}: ntpd {ntpd:?}, ours {ours:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

const IPV4_LINES: &str = "restrict default nomodify nopeer noquery notrap
restrict 10.99.1.0 mask 255.255.255.0 ignore
restrict 10.99.1.7
restrict 10.99.1.128 mask 255.255.255.192 noserve
restrict 10.99.2.128 mask 255.255.255.128 noquery
restrict 10.99.2.0 mask 255.255.255.0 noserve
restrict 10.99.5.0 mask 255.255.255.0 notrust
restrict 10.99.6.0 mask 255.255.255.0 version
restrict 10.99.7.0 mask 255.255.255.0 ntpport ignore
restrict 10.99.7.0 mask 255.255.255.0 noquery
restrict 10.99.8.9 mask 255.255.255.0 ignore
restrict 10.99.9.1 notrap
restrict 10.99.9.1 noserve
restrict 10.99.10.0 mask 255.255.255.0 ignore
restrict 10.99.10.5 ntpport
restrict 10.99.11.0 mask 255.255.255.0 nopeer noepeer nomodify notrap lowpriotrap nomrulist
restrict 10.99.12.0 mask 255.255.255.0 kod
restrict 10.99.13.0 mask 255.255.255.0 noserve version notrust
restrict 10.99.14.0 mask 255.255.254.0 noserve
restrict 10.99.15.0 mask 255.255.255.0";
const IPV4: &[Case] = &[
    ("10.99.0.1:5000", 0, ASK, Time),
    ("10.99.0.1:123", 0, ASK, Time),
    ("10.99.0.2:5000", 0, Plain(3, 3), Time),
    ("10.99.0.3:5000", 0, Plain(2, 3), Time),
    ("10.99.0.4:5000", 0, Plain(1, 3), Time),
    ("10.99.0.5:5000", 0, Plain(0, 3), Nothing),
    ("10.99.0.6:5000", 0, Plain(1, 0), Time),
    ("10.99.0.7:5000", 0, Plain(4, 0), Nothing),
    ("10.99.0.8:5000", 0, Plain(4, 1), Time),
    ("10.99.0.9:5000", 0, Plain(4, 2), Nothing),
    ("10.99.0.10:5000", 0, Plain(4, 4), Nothing),
    ("10.99.0.11:5000", 0, Plain(4, 5), Nothing),
    ("10.99.0.12:5000", 0, Query, Nothing),
    ("10.99.0.13:5000", 0, Plain(4, 7), Nothing),
    ("10.99.0.14:5000", 0, Keyed(1), KeyedTime),
    ("10.99.0.15:5000", 0, WrongMac(1), CryptoNak),
    ("10.99.0.16:5000", 0, Keyed(2), CryptoNak),
    ("10.99.1.1:5000", 0, ASK, Nothing),
    ("10.99.1.1:5001", 0, Keyed(1), Nothing),
    ("10.99.1.7:5000", 0, ASK, Time),
    ("10.99.1.127:5000", 0, ASK, Nothing),
    ("10.99.1.130:5000", 0, ASK, Nothing),
    ("10.99.1.200:5000", 0, ASK, Nothing),
    ("10.99.2.1:5000", 0, ASK, Nothing),
    ("10.99.2.127:5000", 0, Keyed(1), Nothing),
    ("10.99.2.128:5000", 0, ASK, Time),
    ("10.99.2.129:5000", 0, Query, Nothing),
    ("10.99.5.1:5000", 0, ASK, Nothing),
    ("10.99.5.2:5000", 0, Keyed(1), KeyedTime),
    ("10.99.5.3:5000", 0, WrongMac(1), CryptoNak),
    ("10.99.5.4:5000", 0, Keyed(2), CryptoNak),
    ("10.99.5.5:5000", 0, Plain(4, 1), Nothing),
    ("10.99.6.1:5000", 0, ASK, Time),
    ("10.99.6.2:5000", 0, Plain(3, 3), Nothing),
    ("10.99.6.3:5000", 0, Plain(1, 0), Nothing),
    ("10.99.7.1:123", 0, ASK, Nothing),
    ("10.99.7.1:5000", 0, ASK, Time),
    ("10.99.8.200:5000", 0, ASK, Nothing),
    ("10.99.9.1:5000", 0, ASK, Nothing),
    ("10.99.9.2:5000", 0, ASK, Time),
    ("10.99.10.5:123", 0, ASK, Time),
    ("10.99.10.5:5000", 0, ASK, Nothing),
    ("10.99.11.1:5000", 0, ASK, Time),
    ("10.99.11.2:5000", 0, Plain(4, 1), Time),
    ("10.99.12.1:5000", 0, ASK, Time),
    ("10.99.12.1:5001", 50, ASK, Time),
    ("10.99.12.1:5002", 100, ASK, Time),
    ("10.99.13.1:5000", 0, Keyed(1), Nothing),
    ("10.99.14.1:5000", 0, ASK, Nothing),
    ("10.99.15.1:5000", 0, ASK, Time),
];

#[test]
fn flags_masks_and_order_over_ipv4() {
    compare(IPV4_LINES, IPV4);
}

/// The four lines of a seed (S4-33) among them, with their meaning to the letter.
const IPV6_LINES: &str = "restrict -4 default ignore
restrict -6 default noquery nopeer nomodify notrap
restrict 2001:db8:b19:3bb0:: mask ffff:ffff:ffff:ffff:: notrust
restrict 2001:db8:b19:3bb0::a36b nomodify
restrict -6 fd99:0:1:: mask ffff:ffff:ffff:: ignore
restrict fd99:0:1:2:: mask ffff:ffff:ffff:ffff:: noquery
restrict fd99:0:1:2::9 noserve
restrict fd99:0:3:: mask ffff:ffff:ffff:fff0:: version
restrict fd99:0:4::1 ntpport noserve
restrict 10.99.1.0 mask 255.255.255.0";
const IPV6: &[Case] = &[
    ("10.99.0.1:5000", 0, ASK, Nothing),
    ("10.99.1.1:5000", 0, ASK, Time),
    ("[fd99::1]:5000", 0, ASK, Time),
    ("[fd99::1]:123", 0, ASK, Time),
    ("[fd99::2]:5000", 0, Query, Nothing),
    ("[fd99::3]:5000", 0, Plain(4, 1), Time),
    ("[2001:db8:b19:3bb0::1]:5000", 0, ASK, Nothing),
    ("[2001:db8:b19:3bb0::2]:5000", 0, Keyed(1), KeyedTime),
    ("[2001:db8:b19:3bb0::3]:5000", 0, WrongMac(1), CryptoNak),
    ("[2001:db8:b19:3bb0::a36b]:5000", 0, ASK, Time),
    ("[fd99:0:1::1]:5000", 0, ASK, Nothing),
    ("[fd99:0:1:2::1]:5000", 0, ASK, Time),
    ("[fd99:0:1:2::2]:5000", 0, Query, Nothing),
    ("[fd99:0:1:2::9]:5000", 0, ASK, Nothing),
    ("[fd99:0:3:f::1]:5000", 0, ASK, Time),
    ("[fd99:0:3:f::2]:5000", 0, Plain(3, 3), Nothing),
    ("[fd99:0:3:10::1]:5000", 0, Plain(3, 3), Time),
    ("[fd99:0:4::1]:123", 0, ASK, Nothing),
    ("[fd99:0:4::1]:5000", 0, ASK, Time),
];

#[test]
fn families_are_apart_and_ipv6_has_its_masks() {
    compare(IPV6_LINES, IPV6);
}

/// A server in use has the rule of `restrict source`, unless a line is about it alone.
const SOURCES_LINES: &str = "restrict default ignore
restrict source nomodify noquery
restrict 10.99.2.0 mask 255.255.255.0 noserve
restrict 10.99.3.1 notrust
server 10.99.1.1 noselect
server 10.99.2.1 noselect
server 10.99.3.1 noselect
server fd99::1 noselect";
const SOURCES: &[Case] = &[
    ("10.99.1.1:5000", 0, ASK, Time),
    ("10.99.1.1:5001", 0, Query, Nothing),
    ("10.99.1.2:5000", 0, ASK, Nothing),
    ("10.99.2.1:5000", 0, ASK, Time),
    ("10.99.2.2:5000", 0, ASK, Nothing),
    ("10.99.3.1:5000", 0, ASK, Nothing),
    ("10.99.3.1:5001", 0, Keyed(1), KeyedTime),
    ("[fd99::1]:5000", 0, ASK, Time),
    ("[fd99::2]:5000", 0, ASK, Nothing),
];

#[test]
fn servers_in_use_have_a_rule_of_their_own() {
    compare(SOURCES_LINES, SOURCES);
}

/// Packets over a limit are answered by us at random, by ntpd never; what both decide for certain
/// is here.
const RATES_LINES: &str = "restrict default limited kod noquery
restrict 10.99.1.0 mask 255.255.255.0
restrict 10.99.2.0 mask 255.255.255.0 limited kod notrust";
const RATES: &[Case] = &[
    ("10.99.0.1:5000", 0, ASK, Time),
    ("10.99.0.1:5000", 100, ASK, Kiss),
    ("10.99.0.2:5000", 0, ASK, Time),
    ("10.99.0.2:5001", 100, ASK, Kiss),
    ("10.99.0.3:5000", 0, ASK, Time),
    ("10.99.0.3:5000", 1200, ASK, Time),
    ("10.99.0.3:5000", 2400, ASK, Time),
    ("10.99.0.3:5000", 2500, ASK, Kiss),
    ("10.99.0.4:5000", 0, Query, Nothing),
    ("10.99.1.1:5000", 0, ASK, Time),
    ("10.99.1.1:5000", 50, ASK, Time),
    ("10.99.1.1:5000", 100, ASK, Time),
    ("10.99.2.1:5000", 0, ASK, Nothing),
    ("10.99.2.1:5000", 50, Keyed(1), KeyedTime),
    ("10.99.2.1:5000", 100, ASK, Nothing),
    ("[fd99::1]:5000", 0, ASK, Time),
    ("[fd99::1]:5000", 100, ASK, Kiss),
];

#[test]
fn rates_and_kisses() {
    compare(RATES_LINES, RATES);
}
