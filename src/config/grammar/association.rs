//! `server`, `pool`, `peer`, `broadcast`, `manycastclient`.

use crate::codes;
use crate::lexer::{Line, Word};
use crate::settings::{Association, AssociationKind, AssociationOptions, Host};

use super::host::{Reach, family_and_target, refclock_address};
use super::{Parser, limits};

impl Parser<'_> {
    pub(super) fn server(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        self.association(line, first, AssociationKind::Server);
    }

    pub(super) fn pool(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        self.association(line, first, AssociationKind::Pool);
    }

    pub(super) fn peer(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        self.association(line, first, AssociationKind::Peer);
    }

    pub(super) fn broadcast(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        self.association(line, first, AssociationKind::Broadcast);
    }

    pub(super) fn manycastclient(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        self.association(line, first, AssociationKind::ManycastClient);
    }

    pub(super) fn servers(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let message = "`servers` is read as `pool`".to_owned();
        self.word_error(line, codes::SERVERS_ALIAS, first, message, "write `pool`");
        self.association(line, first, AssociationKind::Pool);
    }

    fn association(&mut self, line: &mut Line<'_>, first: &Word<'_>, kind: AssociationKind) {
        let (family, word) = family_and_target(line);
        let Some(word) = word else {
            self.missing(line, first, "a host name or address");
            return;
        };
        let clock = word.text.parse().ok().and_then(refclock_address);
        let host = if clock.is_some() {
            None
        } else {
            let reach = match kind {
                AssociationKind::Broadcast => Reach::Many,
                AssociationKind::ManycastClient => Reach::Group,
                _ => Reach::One,
            };
            self.host(line, &word, family, reach)
        };
        let of = Some(kind).filter(|_| clock.is_none());
        let mut options = self.options(line, of);
        if let Some(clock) = clock {
            self.refclock(line, &word, kind, clock, options);
            return;
        }
        self.settle_polls(line, &mut options, 10);
        if let Some(proof) = &options.unbuilt_proof {
            self.left_out(line, proof, kind);
            return;
        }
        if self.settle_autokey(line, &mut options) {
            return;
        }
        let Some(host) = host.filter(|_| !line.broken) else {
            return;
        };
        let again = |other: &Association| {
            matches!(host, Host::Address(_)) && other.kind == kind && other.host == host
        };
        if let Some(before) = self.settings.associations.iter_mut().find(|it| again(it)) {
            let kept = keep_proof(&mut before.options, options.set);
            let message = format!(
                "`{}` is named twice; this line is dropped{kept}",
                word.shown()
            );
            self.word_error(
                line,
                codes::DUPLICATE_SERVER,
                &word,
                message,
                "named before",
            );
            return;
        }
        if self.room_for_one_more(line, &word) {
            let (options, span) = (options.set, word.span);
            self.settings.associations.push(Association {
                kind,
                host,
                family,
                options,
                span,
            });
        }
    }

    pub(super) fn room_for_one_more(&mut self, line: &mut Line<'_>, word: &Word<'_>) -> bool {
        let settings = &self.settings;
        let count = settings.associations.len() + settings.refclocks.len();
        if count < limits::ASSOCIATIONS {
            return true;
        }
        let message = format!("there are more than {} sources", limits::ASSOCIATIONS);
        self.word_error(
            line,
            codes::TOO_MANY_ASSOCIATIONS,
            word,
            message,
            "one too many",
        );
        false
    }
}

/// Whoever wrote a key or `autokey` does not want this server believed without.
fn keep_proof(before: &mut AssociationOptions, again: AssociationOptions) -> &'static str {
    if before.autokey || again.autokey {
        let is_news = !before.autokey || before.ident.is_none() && again.ident.is_some();
        before.autokey = true;
        before.key = None;
        before.ident = before.ident.take().or(again.ident);
        return if is_news { " but for Autokey" } else { "" };
    }
    if before.key.is_some() || again.key.is_none() {
        return "";
    }
    before.key = again.key;
    " but for its key"
}
