//! Servers, reference clocks, limits and the discipline, in the protocol's terms.
use super::autokey::Host;
use crate::service::launch::{Families, Launch};
use core::net::IpAddr;
use std::sync::Arc;
use truechimer_config::settings::{self, Association, Refclock, Settings};
use truechimer_proto::authentication::KeyId;
use truechimer_proto::config::{
    AssociationConfig, AssociationKind, Family, Listening, RefclockConfig, Remote, Steering,
    SystemConfig, Tinker, Tos,
};
use truechimer_proto::packet::Link;
use truechimer_proto::refclock::{Driver, RefclockId};
use truechimer_proto::server::{DepartureTable, MruTable};
use truechimer_refclocks::Local;
use truechimer_time::leap::LeapTable;
use truechimer_wire::ReferenceId;

/// Stratum of the LOCAL driver where no `fudge` sets it, as the reference has it.
const LOCAL_STRATUM: u8 = 5;
/// What the LOCAL driver calls itself.
const LOCAL_REFERENCE: &str = "LOCL";

/// Rings of a manycast client where no `ttl` line names others: the reference's.
const USUAL_RINGS: [u8; 8] = [1, 32, 64, 96, 128, 160, 192, 224];

/// What the host found out by itself.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Precision of the system clock, log2 seconds.
    pub precision: i8,
    /// Whether the kernel lets this process steer.
    pub may_steer: bool,
    /// Frequency of the drift file, ppm.
    pub stored_freq_ppm: Option<f64>,
    /// Whether `-g` was spent since boot.
    pub panic_gate_spent: bool,
    /// A leap second table, where one was loaded.
    pub leap_table: Option<LeapTable>,
    /// Addresses of this host.
    pub own_addresses: Vec<IpAddr>,
    /// Interfaces through which many can be reached.
    pub links: Vec<Link>,
    /// The memory of clients; nobody is limited without it.
    pub clients: Option<Arc<MruTable>>,
    /// The memory of when replies left; nobody is answered in interleaved mode without it.
    pub departures: Option<Arc<DepartureTable>>,
    /// This host by Autokey's key files.
    pub autokey: Option<Host>,
}

/// Everything `System` is told.
pub fn config(settings: &Settings, launch: &Launch, findings: Findings) -> SystemConfig {
    let associations = super::autokey::provable(settings, findings.autokey.is_some());
    SystemConfig {
        recording: super::statistics::recording(settings),
        trace: launch.trace(),
        associations: associations
            .map(|said| association(said, launch.families, findings.autokey.as_ref()))
            .collect(),
        refclocks: settings.refclocks.iter().map(refclock).collect(),
        tos: tos(&settings.tos),
        tinker: tinker(&settings.tinker, launch.step_threshold_s),
        steering: Steering {
            enabled: settings.flags.ntp && launch.adjust && findings.may_steer,
            kernel: settings.flags.kernel && launch.step_threshold_s.is_none(),
            allow_panic_once: launch.panic_gate && !findings.panic_gate_spent,
            force_step_once: launch.force_step,
            one_shot: launch.one_shot,
            stored_freq_ppm: findings.stored_freq_ppm,
        },
        precision: findings.precision,
        leap_table: findings.leap_table,
        own_addresses: findings.own_addresses,
        links: findings.links,
        listening: listening(settings),
        auth: super::access::demand(settings),
        rings: rings(&settings.broadcasting.ttls),
        control: super::control::config(settings),
        access: super::access::remembering(settings, findings.clients, findings.departures),
        autokey: findings.autokey.map(|host| host.config(&settings.autokey)),
        ephemeral_ends: super::autokey::ephemeral_ends(settings),
    }
}

/// The drivers of the reference clocks.
pub fn drivers(settings: &Settings) -> Vec<Box<dyn Driver>> {
    let local = |said: &&Refclock| said.driver == settings::LOCAL_DRIVER;
    let clocks = settings.refclocks.iter().filter(local);
    clocks
        .map(|said| {
            Box::new(Local::new(id(said), exponent(said.minpoll_log2_s))) as Box<dyn Driver>
        })
        .collect()
}

/// What is believed of those who send to many.
fn listening(settings: &Settings) -> Listening {
    let (said, tos) = (&settings.broadcasting, &settings.tos);
    Listening {
        broadcast: said.client || settings.flags.bclient,
        groups: said.multicast_groups.iter().map(|it| it.value).collect(),
        novolley: said.novolley,
        delay_s: said.delay_s,
        volley_wait_s: f64::from(tos.volley_wait_s),
        backstep_polls: tos.broadcast_backstep_polls,
    }
}

/// The nearest first, whatever the order in which they were written.
fn rings(said: &[u8]) -> Vec<u8> {
    let mut rings = if said.is_empty() {
        USUAL_RINGS.to_vec()
    } else {
        said.to_vec()
    };
    rings.sort_unstable();
    rings.dedup();
    rings
}

fn association(said: &Association, families: Families, host: Option<&Host>) -> AssociationConfig {
    let options = &said.options;
    let kind = match said.kind {
        settings::AssociationKind::Server => AssociationKind::Server,
        settings::AssociationKind::Pool => AssociationKind::Pool,
        settings::AssociationKind::Peer => AssociationKind::Peer,
        settings::AssociationKind::Broadcast => AssociationKind::Broadcast,
        settings::AssociationKind::ManycastClient => AssociationKind::ManycastClient,
    };
    let mut line = AssociationConfig {
        kind,
        remote: match &said.host {
            settings::Host::Address(address) => Remote::Address(*address),
            settings::Host::Name(name) => Remote::Name(name.clone()),
        },
        family: match (families, said.family) {
            (Families::V4, _) | (Families::Both, Some(settings::Family::Ipv4)) => Family::V4,
            (Families::V6, _) | (Families::Both, Some(settings::Family::Ipv6)) => Family::V6,
            (Families::Both, None) => Family::Any,
        },
        port: super::listening::NTP_PORT,
        version: options.version,
        minpoll: exponent(options.minpoll_log2_s),
        maxpoll: exponent(options.maxpoll_log2_s),
        iburst: options.iburst,
        burst: options.burst,
        prefer: options.prefer,
        always_true: options.truechimer,
        noselect: options.noselect,
        preempt: options.preempt,
        key: options.key.and_then(|key| KeyId::symmetric(u32::from(key))),
        hops: options.ttl.unwrap_or(match kind {
            AssociationKind::ManycastClient => u8::MAX,
            _ => 1,
        }),
        interleaved: options.xleave,
        autokey: options.autokey,
        ident: options.ident.clone(),
    };
    if let Some(host) = host {
        host.ask_for_group(&mut line);
    }
    line
}

fn refclock(said: &Refclock) -> RefclockConfig {
    let fudge = &said.fudge;
    RefclockConfig {
        id: id(said),
        stratum: fudge.stratum.unwrap_or(LOCAL_STRATUM),
        reference_id: fudge.refid.map_or_else(
            || ReferenceId::from_letters(LOCAL_REFERENCE),
            ReferenceId::from_octets,
        ),
        minpoll: exponent(said.minpoll_log2_s),
        maxpoll: exponent(said.maxpoll_log2_s),
        prefer: said.prefer,
        always_true: said.truechimer,
        noselect: said.noselect,
    }
}

const fn id(said: &Refclock) -> RefclockId {
    RefclockId {
        driver: said.driver,
        unit: said.unit,
    }
}

fn exponent(log2_s: u8) -> i8 {
    i8::try_from(log2_s).unwrap_or(i8::MAX)
}

fn tos(said: &settings::Tos) -> Tos {
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    Tos {
        minclock: count(said.minclock),
        maxclock: count(said.maxclock),
        minsane: count(said.minsane),
        floor: said.floor,
        ceiling: said.ceiling,
        cohort: said.cohort,
        mindist_s: said.mindist_s,
        maxdist_s: said.maxdist_s,
        beacon_s: f64::from(said.beacon_s),
        orphan: (said.orphan_stratum < 16).then_some(said.orphan_stratum),
        orphan_wait_s: f64::from(said.orphan_wait_s),
    }
}

/// `-x` sets both step thresholds; what `tinker` says of them counts for nothing then.
fn tinker(said: &settings::Tinker, step_threshold_s: Option<f64>) -> Tinker {
    Tinker {
        allan_s: said.allan_s,
        dispersion_s_per_s: said.dispersion_ppm / 1e6,
        freq_ppm: said.freq_ppm,
        panic_s: said.panic_s,
        stepfwd_s: step_threshold_s.or(said.stepfwd_s),
        stepback_s: step_threshold_s.or(said.stepback_s),
        stepout_s: said.stepout_s,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_config::{EMBEDDED_DEFAULT, NoFiles, parse};
    use truechimer_proto::config::Demand;
    use truechimer_proto::server::RestrictFlags;

    fn translated(text: &str, launch: &Launch) -> SystemConfig {
        let parsed = parse("test", text.as_bytes(), &NoFiles);
        assert!(!parsed.has_errors(), "{}", parsed.render(false));
        let findings = Findings {
            may_steer: true,
            ..Findings::default()
        };
        config(&parsed.settings, launch, findings)
    }

    #[test]
    fn the_restrict_lines_bind_the_servers() {
        let of = |text: &str| {
            let server = ([192, 0, 2, 1], 123).into();
            let config = translated(text, &Launch::truechimer());
            config.access.flags_for_source(server)
        };
        assert_eq!(of("restrict default ignore\n"), RestrictFlags::IGNORE);
        let text = "restrict default ignore\nrestrict source notrust\n";
        assert_eq!(of(text), RestrictFlags::NOTRUST);
    }

    #[test]
    fn a_server_line_arrives_whole() {
        let text = "server -4 ntp.example iburst prefer minpoll 4 maxpoll 8 key 7 version 3\n\
                    pool pool.example true noselect preempt burst\n";
        let config = translated(text, &Launch::truechimer());
        let expected = AssociationConfig {
            family: Family::V4,
            version: 3,
            minpoll: 4,
            maxpoll: 8,
            iburst: true,
            prefer: true,
            key: KeyId::symmetric(7),
            ..AssociationConfig::server(Remote::Name("ntp.example".to_owned()))
        };
        assert_eq!(config.associations[0], expected);
        let pool = &config.associations[1];
        assert_eq!(pool.kind, AssociationKind::Pool);
        assert!(pool.always_true && pool.noselect && pool.preempt && pool.burst);
    }

    #[test]
    fn every_mode_arrives_in_the_order_of_the_file() {
        let text = "peer 192.0.2.1 key 7 xleave\nbroadcast 224.0.1.1 key 7 ttl 2\n\
                    server ntp.example\nbroadcast 192.0.2.255\n\
                    manycastclient ff05::101 key 7\nmanycastclient 239.1.1.1 ttl 3\n";
        let associations = translated(text, &Launch::truechimer()).associations;
        let kinds: Vec<_> = associations.iter().map(|it| (it.kind, it.hops)).collect();
        use AssociationKind::{Broadcast, ManycastClient, Peer, Server};
        let expected = [
            (Peer, 1),
            (Broadcast, 2),
            (Server, 1),
            (Broadcast, 1),
            (ManycastClient, 255),
            (ManycastClient, 3),
        ];
        assert_eq!(kinds, expected);
        assert!(associations[0].interleaved && !associations[1].interleaved);
        assert_eq!(associations[0].key, KeyId::symmetric(7));
    }

    #[test]
    fn what_is_heard_of_many() {
        let quiet = translated("", &Launch::truechimer());
        assert_eq!(quiet.listening, Listening::default());
        assert_eq!(quiet.auth, Demand::Authentic);
        assert_eq!(quiet.rings, USUAL_RINGS);
        let text = "broadcastclient novolley\nmulticastclient 224.0.1.1 ff05::101\n\
                    broadcastdelay 0.004\ntos volleywait 9 bcpollbstep 2\ndisable auth\n\
                    ttl 16 4 16\n";
        let config = translated(text, &Launch::truechimer());
        let expected = Listening {
            broadcast: true,
            groups: vec![
                IpAddr::from([224, 0, 1, 1]),
                IpAddr::from([0xff05, 0, 0, 0, 0, 0, 0, 0x101]),
            ],
            novolley: true,
            delay_s: Some(0.004),
            volley_wait_s: 9.0,
            backstep_polls: 2,
        };
        assert_eq!(config.listening, expected);
        assert_eq!((config.auth, config.rings), (Demand::Anybody, vec![4, 16]));
        assert!(
            translated("enable bclient\n", &Launch::truechimer())
                .listening
                .broadcast
        );
    }

    #[test]
    fn an_island_and_its_patience() {
        let tos = translated(
            "tos orphan 6 orphanwait 30 beacon 60\n",
            &Launch::truechimer(),
        )
        .tos;
        assert_eq!(tos.orphan, Some(6));
        assert!((tos.orphan_wait_s - 30.0).abs() < 1e-9 && (tos.beacon_s - 60.0).abs() < 1e-9);
        assert_eq!(
            translated("tos orphan 16\n", &Launch::truechimer())
                .tos
                .orphan,
            None
        );
    }

    #[test]
    fn defaults_of_both_rooms_agree() {
        let config = translated("", &Launch::truechimer());
        assert_eq!(config.tinker, Tinker::default());
        assert_eq!(config.steering, Steering::default());
        let tos = Tos::default();
        assert_eq!(
            (config.tos.minclock, config.tos.maxclock),
            (tos.minclock, tos.maxclock)
        );
        assert!((config.tos.maxdist_s - tos.maxdist_s).abs() < 1e-12);
    }

    #[test]
    fn options_reach_the_discipline() {
        let mut launch = Launch::ntpd();
        launch.panic_gate = true;
        launch.step_threshold_s = Some(600.0);
        launch.families = Families::V6;
        let config = translated("tinker step 0.5\nserver ntp.example\n", &launch);
        assert!(config.steering.allow_panic_once);
        assert!(
            !config.steering.kernel,
            "the kernel's loop cannot slew 600 s"
        );
        assert_eq!(config.tinker.stepback_s, Some(600.0));
        assert_eq!(config.tinker.stepfwd_s, Some(600.0));
        assert_eq!(config.associations[0].family, Family::V6);
        launch.adjust = false;
        assert!(!translated("", &launch).steering.enabled);
        assert!(
            !translated("disable ntp\n", &Launch::ntpd())
                .steering
                .enabled
        );
    }

    #[test]
    fn a_spent_gate_stays_shut() {
        let mut launch = Launch::ntpd();
        launch.panic_gate = true;
        let findings = Findings {
            panic_gate_spent: true,
            ..Findings::default()
        };
        let config = config(&Settings::default(), &launch, findings);
        assert!(!config.steering.allow_panic_once);
    }

    #[test]
    fn the_embedded_default_is_the_local_clock_at_stratum_10() {
        let parsed = parse("embedded", EMBEDDED_DEFAULT.as_bytes(), &NoFiles);
        let config = translated(EMBEDDED_DEFAULT, &Launch::truechimer());
        assert_eq!(config.refclocks[0].stratum, 10);
        assert_eq!(config.refclocks[0].reference_id.octets(), *b"LOCL");
        assert_eq!(drivers(&parsed.settings).len(), 1);
    }
}
