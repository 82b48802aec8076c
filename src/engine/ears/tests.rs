use super::*;
use crate::config::Listen;
use truechimer_proto::config::Family;
use truechimer_sys::own_network::{cable, in_own_network, ip};

pub(crate) const PORT: u16 = 1123;

/// Everywhere on this host.
pub(crate) fn everywhere() -> Listen {
    Listen::Interfaces {
        port: PORT,
        family: Family::Any,
        aliases: true,
        rules: Vec::new(),
    }
}

fn group(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn hearing(groups: &[&str], searches: &[&str]) -> Hearing {
    let parsed = |all: &[&str]| all.iter().map(|one| group(one)).collect();
    Hearing {
        broadcasts: false,
        groups: parsed(groups),
        searches: parsed(searches),
    }
}

/// What is told, sorted, but for addresses that are served.
fn rescanned(listeners: &mut Listeners, ears: &mut Ears) -> Vec<String> {
    listeners.rescan(&mut Vec::new());
    let mut notices = Vec::new();
    ears.rescan(listeners, &mut notices);
    let mut told: Vec<String> = notices.iter().map(ToString::to_string).collect();
    told.sort_unstable();
    told
}

fn members(address_in_hex: &str) -> usize {
    let all = std::fs::read_to_string("/proc/thread-self/net/igmp").unwrap();
    all.matches(address_in_hex).count()
}

/// Interfaces that come, go, and come back under the same name, and a configuration that changes.
#[test]
fn groups_are_joined_where_there_is_an_interface_and_as_long_as_they_are_wanted() {
    in_own_network(|| {
        let mut listeners = Listeners::new(everywhere(), 1, 64);
        let mut ears = Ears::new(hearing(&["224.0.1.1", "ff05::101"], &["224.0.1.1"]));
        let nowhere = "no interface that is served is up and has multicast";
        assert_eq!(
            rescanned(&mut listeners, &mut ears),
            [
                format!("nowhere to listen to 224.0.1.1: {nowhere}"),
                format!("nowhere to listen to ff05::101: {nowhere}"),
            ]
        );
        for _ in 0..2 {
            cable("v1", "v2", 0);
            let wanted = [
                "listening to 224.0.1.1 on v1",
                "listening to 224.0.1.1 on v2",
                "listening to ff05::101 on v1",
                "listening to ff05::101 on v2",
            ];
            assert_eq!(rescanned(&mut listeners, &mut ears), wanted);
            assert_eq!(rescanned(&mut listeners, &mut ears), [""; 0]);
            assert_eq!(members("010100E0"), 2);
            ip("link delete v1");
            let told = rescanned(&mut listeners, &mut ears);
            let gone = told
                .iter()
                .filter(|one| one.starts_with("no longer listening to "));
            assert_eq!(gone.count(), 4, "{told:?}");
            assert_eq!(ears.open().len(), 0);
        }
        cable("v1", "v2", 0);
        rescanned(&mut listeners, &mut ears);
        ears.replace(hearing(&[], &["224.0.1.1"]));
        assert_eq!(
            rescanned(&mut listeners, &mut ears),
            [
                "no longer listening to ff05::101 on v1",
                "no longer listening to ff05::101 on v2"
            ]
        );
        drop(ears);
        assert_eq!(members("010100E0"), 0);
    });
}

#[test]
fn an_interface_without_multicast_is_named_once() {
    in_own_network(|| {
        cable("v1", "v2", 0);
        ip("link set v2 multicast off");
        let mut listeners = Listeners::new(everywhere(), 1, 64);
        let mut ears = Ears::new(hearing(&["224.0.1.1"], &[]));
        assert_eq!(
            rescanned(&mut listeners, &mut ears),
            [
                "listening to 224.0.1.1 on v1",
                "v2 has no multicast: no group is heard there (`ip link set v2 multicast on`)"
            ]
        );
        assert_eq!(rescanned(&mut listeners, &mut ears), [""; 0]);
    });
}

#[test]
fn no_more_than_there_is_room_for() {
    in_own_network(|| {
        cable("v1", "v2", 0);
        let mut listeners = Listeners::new(everywhere(), 1, 64);
        let many: Vec<String> = (0..150).map(|number| format!("ff05::{number:x}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let mut ears = Ears::new(hearing(&many, &[]));
        let told = rescanned(&mut listeners, &mut ears);
        assert_eq!(ears.open().len(), EARS_MAX);
        let left_out = "44 groups and broadcast addresses are not heard: too many";
        assert!(told.iter().any(|one| one == left_out), "{told:?}");
        assert_eq!(rescanned(&mut listeners, &mut ears), [""; 0]);
    });
}

#[test]
fn whose_business_a_datagram_is() {
    let ears = Ears::new(hearing(&["224.0.1.1"], &["239.1.1.1"]));
    let (told, searched, broadcast) = ("224.0.1.1", "239.1.1.1", "192.0.2.255");
    let cases = [
        (told, 0x25, Business::Told),
        (told, 0x23, Business::None),
        (searched, 0x23, Business::Searched),
        (searched, 0x25, Business::None),
        (broadcast, 0x25, Business::Told),
        (broadcast, 0x23, Business::None),
        (told, 0x26, Business::None),
    ];
    for (to, first, wanted) in cases {
        assert_eq!(ears.business(group(to), &[first]), wanted, "{to} {first}");
    }
    assert_eq!(ears.business(group(told), &[]), Business::None);
}
