use super::*;
use nic::Tally;
use truechimer_sys::hardware::{Receives, Stamping};

fn line() -> HardwareStamping {
    HardwareStamping {
        interface: None,
        filter: ReceiveFilter::All,
        receive_correction: NtpDuration::from_nanoseconds(10),
        transmit_correction: NtpDuration::from_nanoseconds(0),
    }
}

fn address(name: &str) -> InterfaceAddress {
    InterfaceAddress {
        name: name.to_owned(),
        address: "192.0.2.1:0".parse().expect("an address"),
        prefix_len: 24,
        loopback: false,
        index: 3,
        broadcast: None,
        multicast: true,
    }
}

fn nic(receives: Receives) -> Nic {
    let stamping = Stamping {
        phc: 0,
        receives,
        transmits: true,
    };
    Nic::new(&address("eth0"), 0, stamping, line())
}

#[test]
fn a_frame_is_stamped_at_its_end() {
    let mut nic = nic(Receives::Ntp);
    assert_eq!(nic.receive_correction(90, 48).to_nanoseconds(), 10);
    nic.speed_mbps = Some(1000);
    let told = nic.receive_correction(90, 48).to_nanoseconds();
    assert!((761..=762).contains(&told), "94 octets and 10 ns: {told}");
    assert_eq!(
        nic.receive_correction(0, 48),
        nic.receive_correction(90, 48)
    );
    nic.speed_mbps = Some(100);
    let slower = nic.receive_correction(90, 48).to_nanoseconds();
    assert!((7529..=7530).contains(&slower), "{slower}");
}

#[test]
fn who_promises_and_does_not_is_named_once() {
    let mut nic = nic(Receives::Ntp);
    for _ in 0..7 {
        nic.receipts.note(false);
        nic.departures.note(false);
        assert!(nic.news().is_none());
        assert!(nic.is_trusted_to_transmit());
    }
    nic.receipts.note(true);
    for _ in 0..3 {
        nic.receipts.note(false);
        assert!(nic.news().is_none());
    }
    nic.departures.note(false);
    assert!(matches!(nic.news(), Some(Notice::StampsMissing(_, "sent"))));
    assert!(!nic.is_trusted_to_transmit());
    for _ in 0..20 {
        nic.receipts.note(false);
    }
    assert!(matches!(
        nic.news(),
        Some(Notice::StampsMissing(_, "received"))
    ));
    assert!(nic.news().is_none());
    nic.departures.note(true);
    assert!(nic.is_trusted_to_transmit(), "it may come round");
}

#[test]
fn what_was_not_promised_is_not_missed() {
    let mut nic = nic(Receives::PtpOnly);
    for _ in 0..20 {
        nic.receipts.note(false);
    }
    assert!(nic.news().is_none());
    assert_eq!(nic.receipts.missing, 20);
    assert_eq!(Tally::default().stamped, 0);
}

#[test]
fn without_a_line_nothing_is_asked_for() {
    let mut clocks = NicClocks::default();
    let mut notices = Vec::new();
    clocks.learn(&[address("lo")], &mut notices);
    assert!(notices.is_empty());
    assert_eq!(clocks.at("192.0.2.1".parse().expect("an address")), None);
    assert!(!clocks.stamps_transmits(None));
}

#[test]
fn an_interface_that_cannot_is_named_if_a_line_names_it() {
    for (interface, told) in [(Some("lo".to_owned()), 1), (None, 0)] {
        let mut clocks = NicClocks::new(vec![HardwareStamping {
            interface,
            ..line()
        }]);
        let mut notices = Vec::new();
        for _ in 0..2 {
            clocks.learn(&[address("lo")], &mut notices);
        }
        assert_eq!(notices.len(), told, "once, not at each look");
    }
}

#[test]
fn another_interface_of_the_same_name_is_asked_anew() {
    let named = HardwareStamping {
        interface: Some("lo".to_owned()),
        ..line()
    };
    let with_index = |index| InterfaceAddress {
        index,
        ..address("lo")
    };
    let mut clocks = NicClocks::new(vec![named]);
    let mut notices = Vec::new();
    for (index, told) in [(3, 1), (3, 1), (4, 2), (3, 3)] {
        clocks.learn(&[with_index(index)], &mut notices);
        assert_eq!(notices.len(), told, "index {index}");
    }
    for found in [&[][..], &[with_index(3)]] {
        clocks.learn(found, &mut notices);
        assert_eq!(
            notices.len(),
            3,
            "the same, that had no address for a while"
        );
    }

    let mut clocks = NicClocks::new(vec![line()]);
    let mut stamps = nic(Receives::Ntp);
    "lo".clone_into(&mut stamps.name);
    clocks.nics.push(stamps);
    let local = "192.0.2.1".parse().expect("an address");
    clocks.learn(&[with_index(3)], &mut notices);
    assert_eq!(clocks.at(local), Some(NicId(0)));
    clocks.learn(&[with_index(4)], &mut notices);
    assert_eq!(clocks.at(local), None, "this one does not stamp");
    assert!(
        !clocks.stamps_transmits(Some(NicId(0))),
        "nor is it waited for"
    );
}
