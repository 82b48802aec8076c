//! The routed form of a world: two networks, a router between them that forwards multicast in the
//! kernel, and what happens to cables.

use super::command::{must, words};
use super::daemon::Daemon;
use super::peers::Tree;
use super::wait::{seconds, until_true};
use super::world::{Host, World};

/// Where the second network begins, and who routes.
#[derive(Clone, Copy, Debug)]
pub struct Campus {
    /// The number of the first host of the second network.
    second: u8,
    /// The router's number; it has that number in both networks.
    router: u8,
}

impl World {
    /// Two networks, 10.77.0.0/24 and 10.78.0.0/24: hosts 1 to `first` in one, so many more in the
    /// other, and a router with eth0 in the one and eth1 in the other as the last host. It forwards
    /// unicast at once, and multicast from `route_multicast` on.
    ///
    /// # Panics
    /// As `new`.
    #[must_use]
    pub fn campus(first: u8, second: u8) -> Self {
        let router = first + second + 1;
        let second = first + 1;
        Self::of(router, Some(Campus { second, router }))
    }

    /// The router of a campus.
    ///
    /// # Panics
    /// When this is no campus.
    #[must_use]
    pub fn router(&self) -> Host<'_> {
        match self.campus {
            Some(campus) => self.host(campus.router),
            None => panic!("this world has one network and no router"),
        }
    }

    pub(super) fn bridge_of(&self, number: u8) -> &'static str {
        if self.host(number).network() == 77 {
            "br0"
        } else {
            "br1"
        }
    }

    /// Gives the router its foot in the second network.
    pub(super) fn join_networks(&self) {
        let Some(Campus { router, .. }) = self.campus else {
            return;
        };
        let own = self.namespace(router);
        self.batch(
            0,
            &format!(
                "link add w{router} type veth peer name eth1 netns {own}\n\
                 link set w{router} master br1 up\n"
            ),
        );
        self.batch(
            router,
            &format!(
                "link set eth1 up\n\
                 addr add 10.78.0.{router}/24 brd + dev eth1\n\
                 addr add fd78::{router}/64 dev eth1 nodad\n"
            ),
        );
        let host = self.host(router);
        for forwarding in ["ipv4.ip_forward=1", "ipv6.conf.all.forwarding=1"] {
            host.sysctl(forwarding);
        }
    }

    /// Makes the switches watch who has joined which group, and ask the hosts every few seconds;
    /// from then on only members and the router are sent what goes to a group.
    ///
    /// # Panics
    /// When the kernel refuses.
    pub fn watch_groups(&self) {
        let router = self.campus.map(|campus| campus.router);
        let mut script = String::new();
        for bridge in ["br0", "br1"] {
            script.push_str(&format!(
                "link set {bridge} type bridge mcast_snooping 1 mcast_querier 1 \
                 mcast_query_interval 400 mcast_query_response_interval 100 \
                 mcast_startup_query_interval 100 mcast_last_member_interval 50\n"
            ));
        }
        for port in router
            .into_iter()
            .flat_map(|it| [format!("v{it}"), format!("w{it}")])
        {
            script.push_str(&format!(
                "link set {port} type bridge_slave mcast_router 2\n"
            ));
        }
        self.batch(0, &script);
    }

    /// Starts multicast routing of these groups in both directions, by the kernel of the router.
    ///
    /// # Panics
    /// When the router does not forward within five seconds.
    #[must_use]
    pub fn route_multicast(&self, groups: &[&str]) -> Daemon {
        let host = self.router();
        let mut config =
            "phyint eth0 enable ttl-threshold 1\nphyint eth1 enable ttl-threshold 1\n".to_owned();
        for group in groups {
            for (from, to) in [("eth0", "eth1"), ("eth1", "eth0")] {
                config.push_str(&format!(
                    "mgroup from {from} group {group}\nmroute from {from} group {group} to {to}\n"
                ));
            }
        }
        host.write("smcroute.conf", &config);
        let arguments = ["-n", "-l", "debug", "-f", "/lab/smcroute.conf"];
        let program = "/usr/sbin/smcrouted";
        let mut daemon = Daemon::peer(host, "smcrouted", Tree::Netlab, program, &arguments);
        let own = self.namespace(host.number);
        until_true("the multicast router", seconds(5), || {
            assert!(daemon.lives(), "the multicast router ended");
            let shown = must(words(&format!(
                "ip netns exec {own} cat /proc/net/ip_mr_vif"
            )));
            shown.contains("eth0") && shown.contains("eth1")
        });
        daemon
    }
}

impl Host<'_> {
    /// The second octet of its network.
    pub(super) fn network(self) -> u8 {
        match self.world.campus {
            Some(Campus { second, router }) if (second..router).contains(&self.number) => 78,
            _ => 77,
        }
    }

    /// Where this host's packets for elsewhere go.
    pub(super) fn routes(self) -> String {
        match self.world.campus {
            Some(Campus { router, .. }) if router != self.number => {
                let network = self.network();
                format!(
                    "route add default via 10.{network}.0.{router}\n\
                     route add default via fd{network}::{router}\n"
                )
            }
            _ => "route add default dev eth0\n".to_owned(),
        }
    }

    /// Sets a kernel variable of `net`.
    ///
    /// # Panics
    /// When there is none.
    pub fn sysctl(self, assignment: &str) {
        let own = self.world.namespace(self.number);
        must(words(&format!(
            "ip netns exec {own} sysctl -qw net.{assignment}"
        )));
    }

    /// Joins its groups in IGMP's second version, as the hosts of seed 001 did.
    ///
    /// # Panics
    /// When the kernel refuses.
    pub fn speak_igmp_v2(self) {
        self.sysctl("ipv4.conf.all.force_igmp_version=2");
        // Up to ten seconds else.
        self.sysctl("ipv4.conf.eth0.igmpv2_unsolicited_report_interval=1000");
    }

    /// Takes eth0 down and up again, with what the kernel forgets of it.
    ///
    /// # Panics
    /// When the kernel refuses.
    pub fn flap(self) {
        let six = format!("addr add {}/64 dev eth0 nodad\n", self.v6());
        let flap = "link set eth0 down\nlink set eth0 up\n";
        self.ip(&[flap, &six, &self.routes()].concat());
    }

    /// Takes the cable out of the switch: no carrier, and the host's kernel knows.
    ///
    /// # Panics
    /// When the kernel refuses.
    pub fn unplug_cable(self) {
        self.world
            .batch(0, &format!("link set v{} down\n", self.number));
    }

    /// Puts the cable back.
    ///
    /// # Panics
    /// When the kernel refuses.
    pub fn plug_cable(self) {
        self.world
            .batch(0, &format!("link set v{} up\n", self.number));
    }

    /// Loses everything on the way between this host and the others, who are not told.
    ///
    /// # Panics
    /// When the kernel refuses.
    pub fn cut(self) {
        self.world
            .batch(0, &format!("link set v{} nomaster\n", self.number));
    }

    /// Ends a cut.
    ///
    /// # Panics
    /// When the kernel refuses.
    pub fn mend(self) {
        let bridge = self.world.bridge_of(self.number);
        let number = self.number;
        self.world
            .batch(0, &format!("link set v{number} master {bridge}\n"));
    }
}
