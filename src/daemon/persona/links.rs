//! `truechimer install-links`: the names of the classic programs, as links to this one.
use super::Persona;
use crate::cli::{print, print_error};
use crate::exit::Exit;
use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// What became of one name.
#[derive(Debug)]
pub struct Link {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it leads here now, or why not.
    pub outcome: io::Result<()>,
}

/// Makes the links and their folder, and says so.
pub fn run(folder: &Path) -> Exit {
    let program = match env::current_exe() {
        Ok(program) => program,
        Err(error) => {
            print_error(&format!(
                "truechimer: cannot tell where this program is: {error}\n"
            ));
            return Exit::Failed;
        }
    };
    if let Err(error) = fs::create_dir_all(folder) {
        print_error(&format!("truechimer: {}: {error}\n", folder.display()));
        return Exit::Failed;
    }
    let mut exit = Exit::Good;
    for link in install(folder, &program) {
        let path = link.path.display();
        match link.outcome {
            Ok(()) => print(&format!("{path} -> {}\n", program.display())),
            Err(error) => {
                print_error(&format!("truechimer: {path}: {error}\n"));
                exit = Exit::Failed;
            }
        }
    }
    exit
}

/// Makes the links in a folder. What is there already and is no link to us is left alone: it may be
/// another package's program.
pub fn install(folder: &Path, program: &Path) -> Vec<Link> {
    let names = Persona::ALL.iter();
    names
        .map(|(name, _)| {
            let path = folder.join(name);
            let outcome = make(&path, program);
            Link { path, outcome }
        })
        .collect()
}

fn make(path: &Path, program: &Path) -> io::Result<()> {
    match symlink(program, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if fs::read_link(path).is_ok_and(|target| target == program) {
                return Ok(());
            }
            let reason = "exists, and is not a link to this program; left alone";
            Err(io::Error::new(io::ErrorKind::AlreadyExists, reason))
        }
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;

    #[test]
    fn twice_is_well_and_others_are_spared() {
        let scratch = Scratch::new("links");
        let folder = scratch.path("");
        let program = Path::new("/usr/sbin/truechimer");
        fs::write(folder.join("ntpd"), "another's").expect("written");
        for _ in 0..2 {
            let links = install(&folder, program);
            assert_eq!(links.len(), Persona::ALL.len());
            for link in links {
                let spared = link.path.ends_with("ntpd");
                assert_eq!(link.outcome.is_err(), spared, "{:?}", link.path);
            }
        }
        let target = fs::read_link(folder.join("ntpq")).expect("a link");
        assert_eq!(target, program);
        let kept = fs::read_to_string(folder.join("ntpd"));
        assert_eq!(kept.expect("a file"), "another's");
    }
}
