use super::super::tests_support::candidate;
use super::*;

fn terms(tos: &Tos) -> Terms<'_> {
    Terms {
        tos,
        precision_s: 1e-6,
        stand_in: None,
        incumbent: None,
    }
}

fn tally_of(selection: &Selection, id: u16) -> Option<Tally> {
    let mut of_id = selection.tallies.iter().rev();
    of_id.find(|it| it.0.0 == id).map(|it| it.1)
}

fn four() -> [Candidate; 4] {
    [
        candidate(1, 0.0000, 0.010),
        candidate(2, 0.0004, 0.012),
        candidate(3, 0.3000, 0.015),
        candidate(4, -0.0002, 0.011),
    ]
}

#[test]
fn tallies_of_four_with_a_falseticker() {
    let tos = Tos::default();
    let selection = mitigate(&four(), &terms(&tos), &mut Clockhop::default());
    assert_eq!(tally_of(&selection, 3), Some(Tally::Falseticker));
    let (leader, combined) = selection.leader.expect("three agree");
    assert_eq!(tally_of(&selection, leader.id.0), Some(Tally::SystemPeer));
    assert_eq!(selection.survivors.len(), 3);
    // Weights 100, 83.3, 90.9: (0.4 * 83.33 - 0.2 * 90.91) / 274.24 ms.
    assert!(
        (combined.offset_s - 5.525e-5).abs() < 1e-8,
        "{}",
        combined.offset_s
    );
}

#[test]
fn three_cliques_lead_nowhere() {
    let tos = Tos::default();
    let all = [
        candidate(1, 0.0, 0.01),
        candidate(2, 1.0, 0.01),
        candidate(3, 2.0, 0.01),
    ];
    let selection = mitigate(&all, &terms(&tos), &mut Clockhop::default());
    assert_eq!(selection.leader, None);
    assert_eq!(tally_of(&selection, 2), Some(Tally::Falseticker));
}

#[test]
fn prefer_leads_with_its_own_offset() {
    let tos = Tos::default();
    let mut all = four();
    all[1].prefer = true;
    let selection = mitigate(&all, &terms(&tos), &mut Clockhop::default());
    let (leader, combined) = selection.leader.expect("three agree");
    assert_eq!(leader.id, AssociationId(2));
    assert!((combined.offset_s - 0.0004).abs() < 1e-12);
    let mut liar = four();
    liar[2].prefer = true;
    let selection = mitigate(&liar, &terms(&tos), &mut Clockhop::default());
    assert_ne!(
        selection.leader.map(|it| it.0.id),
        Some(AssociationId(3)),
        "a preferred falseticker is one"
    );
}

#[test]
fn minsane() {
    let tos = Tos {
        minsane: 4,
        ..Tos::default()
    };
    let selection = mitigate(&four(), &terms(&tos), &mut Clockhop::default());
    assert_eq!(selection.leader, None);
    let none_needed = Tos {
        minsane: 0,
        ..Tos::default()
    };
    let selection = mitigate(&[], &terms(&none_needed), &mut Clockhop::default());
    assert_eq!(selection.leader, None);
}

#[test]
fn a_lower_stratum_leads_among_equals() {
    let tos = Tos::default();
    let mut all = [candidate(1, 0.0, 0.01), candidate(2, 0.0, 0.01)];
    all[1].stratum = 1;
    let selection = mitigate(&all, &terms(&tos), &mut Clockhop::default());
    assert_eq!(selection.leader.map(|it| it.0.id), Some(AssociationId(2)));
}

#[test]
fn the_incumbent_is_not_hopped_over_lightly() {
    let tos = Tos::default();
    let mut all = [candidate(1, 0.0, 0.01), candidate(2, 0.0003, 0.01)];
    all[1].stratum = 1;
    let mut clockhop = Clockhop::default();
    let with_incumbent = Terms {
        incumbent: Some(AssociationId(1)),
        ..terms(&tos)
    };
    let mut leaders = Vec::new();
    for _ in 0..3 {
        let selection = mitigate(&all, &with_incumbent, &mut clockhop);
        leaders.extend(selection.leader.map(|it| it.0.id.0));
    }
    // Gates 1 ms and 0.5 ms are wider than 0.3 ms, 0.25 ms is not.
    assert_eq!(leaders, [1, 1, 2]);
    all[1].offset_s = 0.005;
    let selection = mitigate(&all, &with_incumbent, &mut Clockhop::default());
    assert_eq!(selection.leader.map(|it| it.0.id), Some(AssociationId(2)));
}

#[test]
fn local_stands_in_only_when_alone() {
    let tos = Tos::default();
    let mut local = candidate(9, 0.0, 0.01);
    local.stratum = 10;
    let with_local = Terms {
        stand_in: Some(local),
        ..terms(&tos)
    };
    let alone = mitigate(&[], &with_local, &mut Clockhop::default());
    assert_eq!(alone.leader.map(|it| it.0.id), Some(AssociationId(9)));
    let selection = mitigate(&four(), &with_local, &mut Clockhop::default());
    assert_eq!(tally_of(&selection, 9), None);
}

#[test]
fn leap_votes() {
    let tos = Tos::default();
    let mut all = four();
    all[0].leap = LeapIndicator::AddSecond;
    all[2].leap = LeapIndicator::AddSecond;
    let votes = mitigate(&all, &terms(&tos), &mut Clockhop::default()).votes;
    assert_eq!(
        (votes.add, votes.delete, votes.total),
        (1, 0, 3),
        "a falseticker has no vote"
    );
    all[0].refclock = true;
    let votes = mitigate(&all, &terms(&tos), &mut Clockhop::default()).votes;
    assert_eq!(votes.add, 3);
}
