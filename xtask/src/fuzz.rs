//! `cargo xtask fuzz`: builds the targets under `fuzz` and runs each for a while.
//!
//! No cargo-fuzz and no nightly compiler: libFuzzer needs only the coverage counters that LLVM's
//! own pass adds, and a stable compiler can be asked for that pass (`docs/adr/0009`).

use crate::run::{self, Line};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// Asks LLVM for coverage counters, a table of places, and the operands of comparisons.
const COVERAGE: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// A parser that strangers, or a broken disk, can feed, or a rule that they are judged by.
struct Target {
    name: &'static str,
    /// Longest input tried, octets: beyond it inputs only get slower.
    len_max: usize,
    /// Folders with files to start from besides `fuzz/seeds`.
    seeds: &'static [&'static str],
}

const TARGETS: &[Target] = &[
    target("header", 64, &[]),
    target("extension_fields_and_mac", 2100, &[]),
    target("control_request", 504, &[]),
    target("ntp_conf", 512, &["src/config/fixtures"]),
    target("leap_file", 2048, &[]),
    target("drift_file", 256, &[]),
    target("keys_file", 1024, &[]),
    target("key_text", 4096, &["src/crypto/fixtures/autokey"]),
    target("access", 512, &[]),
    target("autokey", 2048, &[]),
    target("control_answer", 2048, &[]),
    target("decode", 2200, &[]),
    target("private_request", 240, &[]),
    target("private_answer", 2048, &[]),
];

const fn target(name: &'static str, len_max: usize, seeds: &'static [&'static str]) -> Target {
    Target {
        name,
        len_max,
        seeds,
    }
}

/// What the command line asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// How long each target runs.
    pub(crate) each: Duration,
    /// One target, or all.
    pub(crate) only: Option<String>,
}

/// Reads `[--seconds N] [TARGET]`.
///
/// # Errors
/// What was not understood.
pub(crate) fn request(arguments: &[String]) -> Result<Request, String> {
    let mut found = Request {
        each: Duration::from_secs(10),
        only: None,
    };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--seconds" {
            let seconds = arguments.next().and_then(|text| text.parse().ok());
            let seconds = seconds.filter(|seconds| *seconds > 0);
            found.each = Duration::from_secs(seconds.ok_or("--seconds wants a number above 0")?);
        } else if TARGETS.iter().any(|target| target.name == argument) && found.only.is_none() {
            found.only = Some(argument.clone());
        } else {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            let names = names.join(", ");
            return Err(format!("no fuzz target `{argument}`; there are {names}"));
        }
    }
    Ok(found)
}

/// Builds and runs the targets.
///
/// # Errors
/// Which target crashed, hung or could not be built.
pub(crate) fn run(top: &Path, request: &Request) -> Result<(), String> {
    let built = build(top)?;
    let wanted = |target: &&Target| {
        request
            .only
            .as_deref()
            .is_none_or(|only| only == target.name)
    };
    for target in TARGETS.iter().filter(wanted) {
        run_one(top, &built, target, request.each)?;
    }
    Ok(())
}

/// Builds all targets; gives the folder the programs are in.
fn build(top: &Path) -> Result<PathBuf, String> {
    let triple = host()?;
    let folder = run::target_folder(top).join("fuzz");
    // Naming the host as target keeps the counters out of build scripts and macros.
    Line::new(
        "cargo",
        &["build", "--release", "--quiet", "--target", &triple],
    )
    .within(&top.join("fuzz"))
    .with("RUSTFLAGS", &COVERAGE.join(" "))
    .with("CARGO_TARGET_DIR", &folder.to_string_lossy())
    .run()?;
    Ok(folder.join(triple).join("release"))
}

fn host() -> Result<String, String> {
    let said = Line::new("rustc", &["-vV"]).output()?;
    said.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| "rustc -vV names no host".to_owned())
}

fn run_one(top: &Path, built: &Path, target: &Target, each: Duration) -> Result<(), String> {
    let name = target.name;
    let artifacts = top.join("fuzz/artifacts").join(name);
    let corpus = built.join("corpus").join(name);
    for folder in [&artifacts, &corpus] {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let mut arguments = vec![
        format!("-max_total_time={}", each.as_secs()),
        format!("-max_len={}", target.len_max),
        format!("-artifact_prefix={}/", artifacts.display()),
        "-len_control=0".to_owned(),
        "-timeout=5".to_owned(),
        "-rss_limit_mb=1024".to_owned(),
        "-verbosity=0".to_owned(),
        "-print_final_stats=1".to_owned(),
    ];
    let dictionary = top.join(format!("fuzz/dictionaries/{name}.dict"));
    if dictionary.is_file() {
        arguments.push(format!("-dict={}", dictionary.display()));
    }
    // The first folder is the one libFuzzer adds to.
    arguments.push(corpus.display().to_string());
    arguments.push(top.join("fuzz/seeds").join(name).display().to_string());
    for seeds in target.seeds {
        arguments.push(top.join(seeds).display().to_string());
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let program = built.join(name);
    let line = Line::new(&program.to_string_lossy(), &arguments).within(top);
    let said = line.output_of_both().map_err(|said| {
        format!("{said}\nfuzz target {name} failed; its input is in fuzz/artifacts/{name}")
    })?;
    let tried = executed(&said).filter(|tried| *tried > 0);
    let tried = tried.ok_or_else(|| format!("fuzz target {name} tried nothing:\n{said}"))?;
    println!("fuzz {name}: {tried} inputs, no crash");
    Ok(())
}

fn executed(said: &str) -> Option<u64> {
    said.lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .and_then(|number| number.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(words: &[&str]) -> Result<Request, String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        request(&words)
    }

    #[test]
    fn every_target_has_a_manifest_entry_and_seeds() {
        let top = crate::tidy::top();
        let manifest = fs::read_to_string(top.join("fuzz/Cargo.toml")).unwrap();
        for target in TARGETS {
            let name = target.name;
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
            let seeds = fs::read_dir(top.join("fuzz/seeds").join(name)).unwrap();
            assert!(seeds.count() > 0, "{name} has no seeds");
        }
        let built = manifest.matches("[[bin]]").count();
        assert_eq!(
            built,
            TARGETS.len(),
            "a target of the manifest is never run"
        );
    }

    #[test]
    fn the_command_line_is_understood() {
        let all = Request {
            each: Duration::from_secs(10),
            only: None,
        };
        assert_eq!(asked(&[]), Ok(all));
        let one = asked(&["--seconds", "60", "leap_file"]).unwrap();
        assert_eq!(one.each.as_secs(), 60);
        assert_eq!(one.only.as_deref(), Some("leap_file"));
        assert!(asked(&["--seconds", "0"]).is_err());
        assert!(asked(&["leap_fil"]).is_err());
    }

    #[test]
    fn the_count_of_inputs_is_read() {
        let said = "INFO: x\nstat::number_of_executed_units: 4228\n";
        assert_eq!(executed(said), Some(4228));
        assert_eq!(executed("nothing"), None);
    }
}
