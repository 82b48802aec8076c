//! System packages: installed where they are missing, so that one command does the set-up.

use crate::run::Line;

/// What the build needs beside a Rust toolchain.
pub(crate) const BUILD: &[&str] = &["libssl-dev", "pkg-config"];
/// What the tests need besides: namespaces, a compiler for the peers' launcher.
pub(crate) const TEST: &[&str] = &[
    "build-essential",
    "git",
    "iproute2",
    "libssl-dev",
    "pkg-config",
    "util-linux",
];

/// Installs those of `packages` that are missing.
///
/// # Errors
/// When apt fails or may not install; the error names the command that a person can run.
pub(crate) fn ensure(packages: &[&str]) -> Result<(), String> {
    let missing: Vec<&str> = packages
        .iter()
        .copied()
        .filter(|package| !is_installed(package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing {}", missing.join(" "));
    let mut install = vec!["install", "-y", "-qq", "--no-install-recommends"];
    install.extend(&missing);
    privileged(&["update", "-qq"])
        .and_then(|()| privileged(&install))
        .map_err(|error| format!("{error}\nas root: apt-get install {}", missing.join(" ")))
}

fn is_installed(package: &str) -> bool {
    let query = ["-W", "-f", "${Status}", package];
    let said = Line::new("dpkg-query", &query).output_of_both();
    said.is_ok_and(|status| status == "install ok installed")
}

/// apt-get, through sudo for those who are not root.
fn privileged(arguments: &[&str]) -> Result<(), String> {
    let root = Line::new("id", &["-u"]).output()?.trim() == "0";
    let mut words = vec!["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
    if !root {
        words.insert(0, "sudo");
    }
    words.extend(arguments);
    match words.split_first() {
        Some((program, arguments)) => Line::new(program, arguments).run(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_left_alone() {
        assert!(is_installed("dpkg"));
        assert!(!is_installed("no-such-package-here"));
        assert_eq!(ensure(&["dpkg"]), Ok(()));
    }
}
