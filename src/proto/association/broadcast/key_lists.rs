//! Key lists of a broadcast server that speaks Autokey (RFC 5906 §4): one for each interface, for the
//! keys depend on the address that a packet leaves from.
use crate::autokey::job::SignedValue;
use crate::autokey::key_list::KeyList;
use crate::packet::LinkId;
use core::net::IpAddr;

/// A list whose end is signed.
#[derive(Debug)]
struct Signed {
    list: KeyList,
    end: SignedValue,
}

/// The list after the one in use.
#[derive(Debug, Default)]
enum Next {
    #[default]
    None,
    /// Its end is being signed.
    Asked(KeyList),
    Ready(Signed),
}

#[derive(Debug)]
struct Lists {
    link: LinkId,
    local: IpAddr,
    current: Option<Signed>,
    next: Next,
    /// Which making of the next list: what is signed of another is of no use.
    turn: u64,
}

/// What a packet is to be named by and to say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) key_id: u32,
    /// The end of its list, said by the first packet of it.
    pub(crate) end: Option<SignedValue>,
}

/// The lists of a broadcast server.
#[derive(Debug, Default)]
pub(crate) struct KeyLists {
    links: Vec<Lists>,
    turns: u64,
}

impl KeyLists {
    /// Whether a list for this interface is to be made now: there is none that lasts beyond the next
    /// packet. Another address there makes the lists of the old one useless.
    pub(crate) fn wants(&mut self, link: LinkId, local: IpAddr) -> bool {
        self.links.retain(|it| it.link != link || it.local == local);
        let Some(lists) = self.links.iter().find(|it| it.link == link) else {
            return true;
        };
        let left = lists.current.as_ref().map_or(0, |it| it.list.left());
        left <= 1 && matches!(lists.next, Next::None)
    }

    /// Takes a list whose end is to be signed; what names it until then is returned.
    pub(crate) fn begin(&mut self, link: LinkId, local: IpAddr, list: KeyList) -> u64 {
        self.turns += 1;
        let turn = self.turns;
        let next = Next::Asked(list);
        match self.links.iter_mut().find(|it| it.link == link) {
            Some(lists) => (lists.next, lists.turn) = (next, turn),
            None => self.links.push(Lists {
                link,
                local,
                current: None,
                next,
                turn,
            }),
        }
        turn
    }

    /// Takes the signed end of a list, or learns that nobody signed it. Gives the interface on which a
    /// packet waits for it.
    pub(crate) fn end(&mut self, turn: u64, end: Option<SignedValue>) -> Option<LinkId> {
        let lists = self.links.iter_mut().find(|it| it.turn == turn)?;
        let Next::Asked(list) = core::mem::take(&mut lists.next) else {
            return None;
        };
        lists.next = end.map_or(Next::None, |end| Next::Ready(Signed { list, end }));
        let is_silent = lists.current.as_ref().is_none_or(|it| it.list.left() == 0);
        (is_silent && matches!(lists.next, Next::Ready(_))).then_some(lists.link)
    }

    /// Whether a packet can leave through this interface.
    pub(crate) fn has_key(&self, link: LinkId) -> bool {
        let lists = self.links.iter().find(|it| it.link == link);
        lists.is_some_and(|it| {
            let left = it.current.as_ref().map_or(0, |it| it.list.left());
            left > 0 || matches!(it.next, Next::Ready(_))
        })
    }

    /// The name of the next packet through this interface, which leaves from `local`.
    pub(crate) fn take(&mut self, link: LinkId, local: IpAddr) -> Option<Turn> {
        let lists = self.links.iter_mut().find(|it| it.link == link)?;
        if lists.local != local {
            return None;
        }
        if let Some(key_id) = lists.current.as_mut().and_then(|it| it.list.take()) {
            return Some(Turn { key_id, end: None });
        }
        let Next::Ready(next) = core::mem::take(&mut lists.next) else {
            return None;
        };
        let current = lists.current.insert(next);
        Some(Turn {
            key_id: current.list.take()?,
            end: Some(current.end.clone()),
        })
    }

    /// The signed ends of the lists in use, for those who ask, by the address they ask.
    pub(crate) fn ends(&self) -> impl Iterator<Item = (IpAddr, &SignedValue)> {
        let current = |it: &'_ Lists| it.local;
        self.links
            .iter()
            .filter_map(move |it| Some((current(it), &it.current.as_ref()?.end)))
    }

    /// Forgets interfaces that are gone.
    pub(super) fn keep(&mut self, is_there: impl Fn(LinkId) -> bool) {
        self.links.retain(|it| is_there(it.link));
    }

    /// The clock was stepped or the keys are others: what was signed before is not said any more.
    pub(crate) fn forget(&mut self) {
        self.links.clear();
    }
}
