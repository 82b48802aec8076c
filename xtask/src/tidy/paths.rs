//! Nothing in the repository names a package registry's host or a path of the machine it was
//! written on.

use super::{complaint::Complaint, tree::Tree};

/// Rule name in complaints.
const RULE: &str = "paths";

/// Hosts, in halves so that this file does not name them either.
const HOSTS: &[(&str, &str)] = &[
    ("crates", ".io"),
    ("docs", ".rs/"),
    ("static.rust-lang", ".org"),
    ("pypi", ".org"),
    ("pythonhosted", ".org"),
    ("npmjs", ".org"),
    ("npmjs", ".com"),
    ("deb.debian", ".org"),
    ("security.debian", ".org"),
    ("archive.ubuntu", ".com"),
    ("proxy.golang", ".org"),
];

/// Roots of paths that exist on one machine only.
const ROOTS: &[(&str, &str)] = &[("/wo", "rk/"), ("/ro", "ot/"), ("/tmp/bash", "_jobs")];

/// Complaints about every file but the lock files, whose form cargo decides.
pub(crate) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut found = Vec::new();
    for (file, text) in tree
        .files()
        .filter(|(file, _)| !file.ends_with("Cargo.lock"))
    {
        for (index, line) in text.lines().enumerate() {
            found.extend(check_line(file, index + 1, line));
        }
    }
    found
}

fn check_line(file: &str, number: usize, line: &str) -> Vec<Complaint> {
    let joined = |(a, b): &(&str, &str)| format!("{a}{b}");
    let hosts = HOSTS
        .iter()
        .map(joined)
        .filter(|host| line.contains(host))
        .map(|host| {
            Complaint::new(
                file,
                number,
                RULE,
                format!("names the registry host {host}"),
                "name the package alone; the reader's own tools know where it comes from",
            )
        });
    let roots = ROOTS
        .iter()
        .map(joined)
        .filter(|root| stands_alone(line, root))
        .map(|root| {
            Complaint::new(
                file,
                number,
                RULE,
                format!("names {root}, a path of one machine"),
                "use a path from the top of the repository, or an environment variable",
            )
        });
    hosts.chain(roots).collect()
}

/// `network/x` and `$HOME/x` hold the letters but not the path.
fn stands_alone(line: &str, root: &str) -> bool {
    line.match_indices(root)
        .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-}*)".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_machine_paths_are_named() {
        for host in HOSTS {
            let line = format!("see https://{}{}", host.0, host.1);
            assert!(!check_line("README.md", 7, &line).is_empty(), "{line}");
        }
        for root in ROOTS {
            let line = format!("cd {}{}main", root.0, root.1);
            assert_eq!(check_line("README.md", 7, &line).len(), 1, "{line}");
        }
    }

    #[test]
    fn other_paths_pass() {
        for line in [
            format!("$HOME{}{}x", ROOTS[0].0, ROOTS[0].1),
            format!("net{}{}x", ROOTS[0].0, ROOTS[0].1),
            "/var/lib/ntp/ntp.drift".to_owned(),
            "crates and io".to_owned(),
        ] {
            assert!(check_line("README.md", 7, &line).is_empty(), "{line}");
        }
    }
}
