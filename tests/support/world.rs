//! A small network of hosts, apart from this machine's own: network namespaces joined by a
//! bridge that lives in a namespace as well.

use super::campus::Campus;
use super::command::{finish, must, words};
use super::peers::{self, Tree};
use super::wait::{seconds, until};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

/// Begins the name of every namespace made here; the process id and a number follow.
const PREFIX: &str = "truechimer-";

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// 10.77.0.N
    V4,
    /// fd77::N
    V6,
}

/// The network. Hosts are numbered from 1.
#[derive(Debug)]
pub struct World {
    name: String,
    folder: PathBuf,
    hosts: u8,
    /// The routed form: see `campus`.
    pub(super) campus: Option<Campus>,
}

/// One host: its own addresses, name, mounts and folder.
#[derive(Clone, Copy, Debug)]
pub struct Host<'a> {
    pub(super) world: &'a World,
    pub(super) number: u8,
}

impl World {
    /// Builds a network of so many hosts, at most 40.
    ///
    /// # Panics
    /// Without root's rights, and when the kernel refuses.
    #[must_use]
    pub fn new(hosts: u8) -> Self {
        Self::of(hosts, None)
    }

    pub(super) fn of(hosts: u8, campus: Option<Campus>) -> Self {
        static SWEEP: Once = Once::new();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        assert!(
            must(words("id -u")).trim() == "0",
            "the interoperability tests make network namespaces: run them as root"
        );
        SWEEP.call_once(sweep_leftovers);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{count}-", process::id());
        let folder = std::env::temp_dir().join(name.trim_end_matches('-'));
        let world = Self {
            name,
            folder,
            hosts,
            campus,
        };
        world.build();
        world
    }

    fn build(&self) {
        let bridge = self.namespace(0);
        must(words(&format!("ip netns add {bridge}")));
        let mut script = "link set lo up\n".to_owned();
        for bridge in ["br0", "br1"] {
            script.push_str(&format!(
                "link add {bridge} type bridge mcast_snooping 0\nlink set {bridge} up\n"
            ));
        }
        for number in 1..=self.hosts {
            let own = self.namespace(number);
            must(words(&format!("ip netns add {own}")));
            script.push_str(&self.line_to(number));
        }
        self.batch(0, &script);
        for number in 1..=self.hosts {
            self.batch(number, "link set lo up\n");
            self.host(number).set_up();
        }
        self.join_networks();
    }

    /// A line from the bridge to a host's eth0.
    fn line_to(&self, number: u8) -> String {
        let own = self.namespace(number);
        let bridge = self.bridge_of(number);
        format!(
            "link add v{number} type veth peer name eth0 netns {own}\n\
             link set v{number} master {bridge} up\n"
        )
    }

    /// Runs a script of `ip` in a namespace.
    pub(super) fn batch(&self, number: u8, script: &str) {
        if let Err(error) = fs::create_dir_all(&self.folder) {
            panic!("{}: {error}", self.folder.display());
        }
        let file = self.folder.join(format!("ip-{number}"));
        write(&file, script);
        must(words(&format!(
            "ip -n {} -batch {}",
            self.namespace(number),
            file.display()
        )));
    }

    /// Host `number`, from 1.
    ///
    /// # Panics
    /// When there is no such host.
    #[must_use]
    pub fn host(&self, number: u8) -> Host<'_> {
        assert!(
            (1..=self.hosts).contains(&number),
            "this world has no host {number}"
        );
        Host {
            world: self,
            number,
        }
    }

    pub(super) fn namespace(&self, number: u8) -> String {
        format!("{}{number}", self.name)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for number in 0..=self.hosts {
            remove_namespace(&self.namespace(number));
        }
        // The folder stays behind when a test failed, for whoever looks into it.
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

impl Host<'_> {
    /// 10.77.0.N, in the second network of a campus 10.78.0.N
    #[must_use]
    pub fn v4(self) -> String {
        format!("10.{}.0.{}", self.network(), self.number)
    }

    /// fd77::N, in the second network of a campus fd78::N
    #[must_use]
    pub fn v6(self) -> String {
        format!("fd{}::{}", self.network(), self.number)
    }

    /// The first address of a family.
    #[must_use]
    pub fn address(self, family: Family) -> String {
        match family {
            Family::V4 => self.v4(),
            Family::V6 => self.v6(),
        }
    }

    /// All IPv4 addresses, five: one association each with the same host is possible so. On a
    /// campus a host has but one.
    #[must_use]
    pub fn addresses(self) -> Vec<String> {
        let count = if self.world.campus.is_some() { 1 } else { 5 };
        (0..count)
            .map(|step: u8| format!("10.{}.0.{}", self.network(), self.number + 50 * step))
            .collect()
    }

    /// Gives eth0 its addresses.
    fn set_up(self) {
        let mut script = "link set eth0 up\n".to_owned();
        for address in self.addresses() {
            script.push_str(&format!("addr add {address}/24 brd + dev eth0\n"));
        }
        script.push_str(&format!("addr add {}/64 dev eth0 nodad\n", self.v6()));
        script.push_str(&self.routes());
        self.ip(&script);
    }

    /// Runs a script of `ip` on this host.
    ///
    /// # Panics
    /// When a line of it fails.
    pub fn ip(self, script: &str) {
        self.world.batch(self.number, script);
    }

    /// Takes eth0 away, as if the card were drawn.
    ///
    /// # Panics
    /// When there is none.
    pub fn unplug(self) {
        self.ip("link del eth0\n");
    }

    /// Puts a new eth0 in its place, with the same addresses.
    ///
    /// # Panics
    /// When there is one.
    pub fn plug(self) {
        self.world.batch(0, &self.world.line_to(self.number));
        self.set_up();
    }

    /// The link-local address of eth0, once the kernel lets it be used.
    ///
    /// # Panics
    /// When it has none within five seconds.
    #[must_use]
    pub fn link_local(self) -> String {
        let own = self.world.namespace(self.number);
        until("a link-local address", seconds(5), || {
            let shown = must(words(&format!(
                "ip -n {own} -6 -brief addr show dev eth0 scope link -tentative"
            )));
            let mut found = shown
                .split_whitespace()
                .filter_map(|word| word.split_once('/'));
            found.next().map(|(address, _)| address.to_owned())
        })
    }

    /// A folder of this host's own. Peers see it as `/lab`.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn folder(self) -> PathBuf {
        let folder = self.world.folder.join(format!("host{}", self.number));
        if let Err(error) = fs::create_dir_all(&folder) {
            panic!("{}: {error}", folder.display());
        }
        folder
    }

    /// Writes a file into the host's folder.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(self, name: &str, text: &str) -> PathBuf {
        let path = self.folder().join(name);
        write(&path, text);
        path
    }

    /// A program of this system, run on this host without the right to set the clock: the kernel
    /// refuses, and says so. The process id is the program's own.
    #[must_use]
    pub fn native(self, program: &Path) -> Command {
        let mut command = words("setpriv --bounding-set -sys_time --inh-caps -sys_time --");
        self.enter(&mut command);
        command.arg(program);
        command
    }

    /// A program of this system that believes it steers: it holds the right to set the clock of a
    /// user namespace, where there is none, and the kernel says yes to every call and does
    /// nothing. It may use low ports, and its mounts are its own.
    #[must_use]
    pub fn pretending(self, program: &Path) -> Command {
        let own = self.world.namespace(self.number);
        must(words(&format!(
            "ip netns exec {own} sysctl -qw net.ipv4.ip_unprivileged_port_start=0"
        )));
        let mut command = Command::new(peers::noclock());
        self.enter(&mut command);
        command.args(["unshare", "--user", "--map-root-user", "--mount"]);
        command
            .args(["setpriv", "--pdeathsig", "KILL"])
            .arg(program);
        command
    }

    /// A program of a peer's tree, run on this host with a clock that only seems to obey.
    ///
    /// # Panics
    /// When the tree is not installed.
    #[must_use]
    pub fn peer(self, tree: Tree, program: &str) -> Command {
        let root = tree.root();
        let mut command = Command::new(peers::noclock());
        self.enter(&mut command);
        command.args(["sh", "-c", peers::FURNISH]);
        command.arg(&root).arg(self.folder());
        command.args(["setpriv", "--pdeathsig", "KILL"]);
        if let Some(library) = tree.preload() {
            command.arg("env").arg(format!("LD_PRELOAD={library}"));
        }
        command.arg("chroot").arg(&root).arg(program);
        command
    }

    /// Enters the namespaces; each process gets a /run of its own, so that two daemons of a kind
    /// do not meet there.
    fn enter(self, command: &mut Command) {
        command.args(["ip", "netns", "exec", &self.world.namespace(self.number)]);
        command.args(["unshare", "--uts", "--mount", "sh", "-c"]);
        command.arg(
            "hostname \"$0\" && mount -t tmpfs -o mode=755 tmpfs /run && \
             exec setpriv --pdeathsig KILL \"$@\"",
        );
        command.arg(format!("host{}", self.number));
    }
}

fn write(path: &Path, text: &str) {
    if let Err(error) = fs::write(path, text) {
        panic!("{}: {error}", path.display());
    }
}

/// Ends what still runs in a namespace and takes it away.
fn remove_namespace(name: &str) {
    let pids = finish(words(&format!("ip netns pids {name}")));
    if pids.code != Some(0) {
        return;
    }
    for pid in pids.stdout.split_whitespace() {
        finish(words(&format!("kill -KILL {pid}")));
    }
    finish(words(&format!("ip netns del {name}")));
}

/// Takes away the namespaces of test processes that were killed before they could, and the
/// folders of failed runs before this one.
fn sweep_leftovers() {
    let dead = |name: &str| {
        let owner = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('-').next());
        owner
            .is_some_and(|pid| pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists())
    };
    for entry in fs::read_dir(std::env::temp_dir())
        .into_iter()
        .flatten()
        .flatten()
    {
        if dead(&entry.file_name().to_string_lossy()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let listed = finish(words("ip netns list"));
    for name in listed
        .stdout
        .lines()
        .filter_map(|line| line.split_whitespace().next())
    {
        if dead(name) {
            remove_namespace(name);
        }
    }
}
