use super::{DAY_S, LeapSchedule};
use crate::event::SystemEvent;
use truechimer_time::leap::{LeapIndicator, LeapTable};

/// 2016-12-31 24:00:00, an insertion.
const END_2016: i64 = 1_483_228_800;
/// 2015-06-30 24:00:00.
const END_JUNE_2015: i64 = 1_435_708_800;
const YEARS_AHEAD: i64 = END_2016 + 1000 * DAY_S;

fn table(change_s: i32, expires_unix_s: i64) -> Option<LeapTable> {
    LeapTable::new(
        vec![(END_JUNE_2015, 36), (END_2016, 36 + change_s)],
        expires_unix_s,
    )
}

fn advance(schedule: &mut LeapSchedule, now_unix_s: i64) -> Vec<SystemEvent> {
    schedule.advance(now_unix_s);
    std::iter::from_fn(|| schedule.poll_event()).collect()
}

#[test]
fn insertion_and_deletion_by_the_table() {
    for (change_s, indicator) in [
        (1, LeapIndicator::AddSecond),
        (-1, LeapIndicator::DeleteSecond),
    ] {
        let insert = change_s > 0;
        let mut schedule = LeapSchedule::new(table(change_s, YEARS_AHEAD));
        let early = END_2016 - 28 * DAY_S - 1;
        assert_eq!(advance(&mut schedule, early), [SystemEvent::TaiOffset(36)]);
        assert_eq!(
            advance(&mut schedule, early + 1),
            [SystemEvent::LeapArmed(insert)]
        );
        let eve = END_2016 - DAY_S;
        assert_eq!(schedule.indicator(eve - 1), LeapIndicator::NoWarning);
        assert_eq!(schedule.kernel_indicator(eve - 1), LeapIndicator::NoWarning);
        assert_eq!(schedule.indicator(eve), indicator);
        assert_eq!(schedule.kernel_indicator(END_2016 - 1), indicator);
        assert!(advance(&mut schedule, END_2016 - 1).is_empty());
        assert_eq!(
            advance(&mut schedule, END_2016),
            [
                SystemEvent::LeapEvent(insert),
                SystemEvent::TaiOffset(36 + change_s)
            ]
        );
        assert_eq!(schedule.indicator(END_2016), LeapIndicator::NoWarning);
        assert_eq!(schedule.kernel_indicator(END_2016 + 1), indicator);
        let after = schedule.kernel_indicator(END_2016 + 2);
        assert_eq!(after, LeapIndicator::NoWarning);
    }
}

#[test]
fn an_inserted_second_happens_once() {
    let mut schedule = LeapSchedule::new(table(1, YEARS_AHEAD));
    advance(&mut schedule, END_2016 - 100);
    assert_eq!(advance(&mut schedule, END_2016).len(), 2);
    // The kernel sets the clock back, so the last second comes again.
    assert!(advance(&mut schedule, END_2016 - 1).is_empty());
    assert_eq!(schedule.indicator(END_2016 - 1), LeapIndicator::NoWarning);
    assert_eq!(schedule.tai_utc_s(), Some(37));
    assert!(advance(&mut schedule, END_2016).is_empty());
    assert!(advance(&mut schedule, END_2016 + DAY_S).is_empty());
}

#[test]
fn no_sample_spans_it() {
    let mut schedule = LeapSchedule::new(table(1, YEARS_AHEAD));
    advance(&mut schedule, END_2016 - 100);
    assert!(!schedule.is_near(END_2016 - 11));
    assert!(schedule.is_near(END_2016 - 10));
    advance(&mut schedule, END_2016);
    assert!(schedule.is_near(END_2016 - 1) && schedule.is_near(END_2016 + 10));
    assert!(!schedule.is_near(END_2016 + 11));
}

#[test]
fn a_step_across_the_leap_is_no_leap() {
    let mut schedule = LeapSchedule::new(table(1, YEARS_AHEAD));
    advance(&mut schedule, END_2016 - DAY_S);
    assert_eq!(
        advance(&mut schedule, END_2016 + 3600),
        [SystemEvent::LeapDisarmed, SystemEvent::TaiOffset(37)]
    );
    assert_eq!(
        advance(&mut schedule, END_2016 - 3600),
        [SystemEvent::LeapArmed(true), SystemEvent::TaiOffset(36)]
    );
}

#[test]
fn a_step_back_after_the_leap_arms_it_again() {
    let mut schedule = LeapSchedule::new(table(1, YEARS_AHEAD));
    advance(&mut schedule, END_2016 - 100);
    advance(&mut schedule, END_2016);
    assert_eq!(
        advance(&mut schedule, END_2016 - 3600),
        [SystemEvent::LeapArmed(true), SystemEvent::TaiOffset(36)]
    );
}

#[test]
fn votes_need_a_majority_and_the_right_month() {
    let june = END_JUNE_2015 - 10 * DAY_S;
    let december = END_2016 - 3600;
    let november = END_2016 - 40 * DAY_S;
    for (now_unix_s, inserts, deletes, survivors, armed) in [
        (june, 3, 0, 4, Some(true)),
        (june, 2, 0, 4, None),
        (june, 0, 1, 1, Some(false)),
        (june, 2, 2, 4, None),
        (june, 0, 0, 4, None),
        (december, 2, 1, 3, Some(true)),
        (november, 4, 0, 4, None),
        (END_2016 + 60, 4, 0, 4, None),
    ] {
        let mut schedule = LeapSchedule::new(None);
        schedule.vote(now_unix_s, inserts, deletes, survivors);
        let expected: Vec<_> = armed.map(SystemEvent::LeapArmed).into_iter().collect();
        assert_eq!(advance(&mut schedule, now_unix_s), expected);
    }
}

#[test]
fn a_voted_leap_is_announced_only_in_the_last_day_and_can_be_taken_back() {
    let mut schedule = LeapSchedule::new(None);
    let early = END_JUNE_2015 - 5 * DAY_S;
    schedule.vote(early, 3, 0, 3);
    advance(&mut schedule, early);
    assert_eq!(schedule.indicator(early), LeapIndicator::NoWarning);
    let eve = END_JUNE_2015 - 60;
    assert_eq!(schedule.indicator(eve), LeapIndicator::AddSecond);
    schedule.vote(eve, 0, 0, 0);
    assert!(advance(&mut schedule, eve).is_empty(), "nobody to ask");
    schedule.vote(eve, 1, 0, 3);
    assert_eq!(advance(&mut schedule, eve), [SystemEvent::LeapDisarmed]);
    schedule.vote(eve, 2, 0, 3);
    advance(&mut schedule, eve);
    schedule.vote(END_JUNE_2015 - 5, 0, 0, 3);
    assert!(
        advance(&mut schedule, END_JUNE_2015 - 5).is_empty(),
        "too late"
    );
    assert_eq!(
        advance(&mut schedule, END_JUNE_2015),
        [SystemEvent::LeapEvent(true)]
    );
    // Stale bits from slow sources, in the repeated second and after.
    schedule.vote(END_JUNE_2015 - 1, 3, 0, 3);
    schedule.vote(END_JUNE_2015 + 100, 3, 0, 3);
    assert!(advance(&mut schedule, END_JUNE_2015 + 100).is_empty());
}

#[test]
fn a_table_in_force_beats_any_vote() {
    let mut schedule = LeapSchedule::new(table(1, YEARS_AHEAD));
    let june = END_JUNE_2015 + 360 * DAY_S;
    advance(&mut schedule, june);
    schedule.vote(june, 4, 0, 4);
    assert!(advance(&mut schedule, june).is_empty());
    schedule.vote(END_2016 - 3600, 0, 4, 4);
    assert_eq!(
        advance(&mut schedule, END_2016 - 3600),
        [SystemEvent::LeapArmed(true)]
    );
}

#[test]
fn an_expired_table_gives_way_to_votes_and_tai_follows() {
    let june_2017 = END_2016 + 181 * DAY_S;
    let mut schedule = LeapSchedule::new(table(1, END_2016 + DAY_S));
    advance(&mut schedule, june_2017 - 3600);
    assert_eq!(schedule.tai_utc_s(), Some(37));
    schedule.vote(june_2017 - 3600, 3, 0, 3);
    assert_eq!(
        advance(&mut schedule, june_2017 - 3600),
        [SystemEvent::LeapArmed(true)]
    );
    assert_eq!(
        advance(&mut schedule, june_2017),
        [SystemEvent::LeapEvent(true), SystemEvent::TaiOffset(38)]
    );
}

#[test]
fn the_age_of_the_table_is_told_once_at_each_stage() {
    let expires = END_2016 + 400 * DAY_S;
    let mut schedule = LeapSchedule::new(table(1, expires));
    advance(&mut schedule, expires - 29 * DAY_S);
    let stale = |days_left| SystemEvent::StaleLeapTable { days_left };
    assert_eq!(advance(&mut schedule, expires - 28 * DAY_S), [stale(28)]);
    assert!(advance(&mut schedule, expires - 5 * DAY_S).is_empty());
    assert_eq!(advance(&mut schedule, expires), [stale(-1)]);
    assert!(advance(&mut schedule, expires + 50 * DAY_S).is_empty());
    schedule.set_table(table(1, expires + 60 * DAY_S));
    assert_eq!(advance(&mut schedule, expires + 50 * DAY_S), [stale(10)]);
    schedule.set_table(table(1, expires + 600 * DAY_S));
    assert!(advance(&mut schedule, expires + 50 * DAY_S).is_empty());
}

#[test]
fn it_says_when_it_wants_to_be_asked_again() {
    let mut schedule = LeapSchedule::new(table(1, YEARS_AHEAD));
    let mut now_unix_s = END_2016 - 100 * DAY_S;
    let mut moments = Vec::new();
    schedule.advance(now_unix_s);
    while let Some(next) = schedule.next_change_unix_s(now_unix_s) {
        now_unix_s = next;
        schedule.advance(now_unix_s);
        moments.push(next - END_2016);
    }
    assert_eq!(
        moments,
        [-28 * DAY_S, -DAY_S, 0, 2, 11, 972 * DAY_S, 1000 * DAY_S]
    );
}

#[test]
fn a_table_of_absurd_times_overflows_nothing() {
    for expires_unix_s in [i64::MIN, i64::MAX] {
        let rows = vec![(i64::MIN, i32::MAX - 1), (i64::MAX, i32::MAX)];
        let mut schedule = LeapSchedule::new(LeapTable::new(rows, expires_unix_s));
        for now_unix_s in [-END_2016, 0, END_2016] {
            advance(&mut schedule, now_unix_s);
            assert_eq!(schedule.indicator(now_unix_s), LeapIndicator::NoWarning);
            let next = schedule.next_change_unix_s(now_unix_s);
            assert!(next.is_some_and(|next| next > now_unix_s));
        }
    }
}

#[test]
fn a_server_tells_tai_where_there_is_no_table_and_no_leap() {
    let mut schedule = LeapSchedule::new(None);
    schedule.tell_tai(37);
    let now = END_2016 + DAY_S;
    assert_eq!(advance(&mut schedule, now), [SystemEvent::TaiOffset(37)]);
    assert_eq!(schedule.table_span_unix_s(), None);
    // A configuration that is read again has no table either.
    schedule.set_table(None);
    assert_eq!(advance(&mut schedule, now), []);
    assert_eq!(schedule.tai_utc_s(), Some(37));
    // Its word does not outvote the others.
    let eve = END_JUNE_2015 - 100;
    advance(&mut schedule, eve);
    schedule.vote(eve, 3, 0, 4);
    assert_eq!(advance(&mut schedule, eve), [SystemEvent::LeapArmed(true)]);
    let over = advance(&mut schedule, END_JUNE_2015);
    assert_eq!(
        over,
        [SystemEvent::LeapEvent(true), SystemEvent::TaiOffset(38)]
    );
    schedule.set_table(table(1, YEARS_AHEAD));
    schedule.tell_tai(99);
    advance(&mut schedule, END_2016);
    assert_eq!(schedule.tai_utc_s(), Some(37), "the table knows better");
}
