//! `cargo xtask rehearse`: the daemon in an emulated machine whose clocks and interfaces are wrong by
//! known amounts.

use crate::run::{self, Line};
use crate::test::{self, Outcome, Tally};
use std::{fs, path::Path};

/// Where the scenes are.
const SCENES: &str = "tests/rehearsal/scenes";
/// What a scene says of the emulated hardware it wants, in a comment.
const HARDWARE: &str = "# hwlab: ";
/// What it says of arguments of the emulator.
const MACHINE: &str = "# machine: ";
/// Beginning of the names of scenes that show a peer and judge nothing of ours.
const FOR_COMPARISON: &str = "peer-";
/// Longest scene, seconds of this machine.
const LONGEST_S: &str = "300";

/// Plays these scenes, or all of ours where none is named.
pub(crate) fn run(top: &Path, wanted: &[String]) -> Outcome {
    match prepare(top).and_then(|programs| Ok((programs, scenes(top, wanted)?))) {
        Ok((programs, scenes)) => play_all(top, &programs, &scenes),
        Err(error) => (Tally::default(), Err(error)),
    }
}

/// Daemon and true clock, built for release: the emulated machine counts instructions.
struct Programs {
    daemon: String,
    clock: String,
}

fn prepare(top: &Path) -> Result<Programs, String> {
    let daemon = test::prepare(top, &["chrony"])?;
    let get = top.join("tests/rehearsal/get").display().to_string();
    Line::new(&get, &[]).within(top).run()?;
    let arguments = "build --release -p truechimer-tests --bin ntp-true-clock";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    Line::new("cargo", &arguments).within(top).run()?;
    let clock = run::target_folder(top).join("release/ntp-true-clock");
    Ok(Programs {
        daemon,
        clock: clock.display().to_string(),
    })
}

fn scenes(top: &Path, wanted: &[String]) -> Result<Vec<String>, String> {
    let folder = top.join(SCENES);
    let entries = fs::read_dir(&folder).map_err(|error| format!("{SCENES}: {error}"))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut known: Vec<String> = names.filter(|name| name != "stage").collect();
    known.sort();
    if let Some(name) = wanted.iter().find(|name| !known.contains(name)) {
        return Err(format!("no scene {name}; there are: {}", known.join(", ")));
    }
    if !wanted.is_empty() {
        return Ok(wanted.to_vec());
    }
    known.retain(|name| !name.starts_with(FOR_COMPARISON));
    Ok(known)
}

fn play_all(top: &Path, programs: &Programs, scenes: &[String]) -> Outcome {
    let mut tally = Tally::default();
    let mut failed = Vec::new();
    for scene in scenes {
        println!("\n-- {scene} --");
        match play(top, programs, scene) {
            Ok(()) => tally.passed += 1,
            Err(error) => {
                println!("{error}");
                tally.failed += 1;
                failed.push(scene.as_str());
            }
        }
    }
    let result = match failed.as_slice() {
        [] => Ok(()),
        _ => Err(format!("scenes that failed: {}", failed.join(", "))),
    };
    (tally, result)
}

fn play(top: &Path, programs: &Programs, scene: &str) -> Result<(), String> {
    let text = fs::read_to_string(top.join(SCENES).join(scene))
        .map_err(|error| format!("{scene}: {error}"))?;
    let folder = run::target_folder(top).join("rehearsal");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let image = folder.join(format!("{scene}.gz")).display().to_string();
    let script = |name: &str| top.join("tests/rehearsal").join(name).display().to_string();
    let arguments = [image.as_str(), scene, said(&text, HARDWARE)];
    Line::new(&script("image"), &arguments)
        .with("TRUECHIMER_BIN", &programs.daemon)
        .with("TRUE_CLOCK_BIN", &programs.clock)
        .run()?;
    let machine = said(&text, MACHINE).split_whitespace();
    let arguments: Vec<&str> = [image.as_str(), LONGEST_S]
        .into_iter()
        .chain(machine)
        .collect();
    Line::new(&script("boot"), &arguments).run()
}

/// The rest of the line of a scene that begins so; empty if there is none.
fn said<'a>(text: &'a str, start: &str) -> &'a str {
    text.lines()
        .find_map(|line| line.strip_prefix(start))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scene_says_what_hardware_it_wants() {
        let top = crate::tidy::top();
        let all = scenes(&top, &[]).expect("scenes");
        assert!(!all.is_empty());
        for scene in all {
            assert!(!scene.starts_with(FOR_COMPARISON));
            let text = fs::read_to_string(top.join(SCENES).join(&scene)).expect("a scene");
            assert!(said(&text, HARDWARE).contains("truth_ppb="), "{scene}");
        }
        assert!(scenes(&top, &["none-such".to_owned()]).is_err());
    }
}
