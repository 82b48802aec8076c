//! Key lists of a broadcast server that speaks Autokey (RFC 5906 §4): one for each interface, for the
//! keys depend on the address that a packet leaves from.
use crate::autokey::job::SignedValue;
use crate::autokey::key_list::{KeyList, ListEnd};
use crate::packet::LinkId;
use core::net::IpAddr;

/// A list whose end is signed.
#[derive(Debug)]
struct Signed {
    list: KeyList,
    end: SignedValue,
    /// The end is to be told by the next packet.
    is_news: bool,
}

/// The list after the one in use.
#[derive(Debug, Default)]
enum Next {
    #[default]
    None,
    /// Its end is being signed.
    Asked(KeyList),
    /// There is none yet: the end of the list in use is being signed anew.
    AskedAgain,
    Ready(Signed),
}

#[derive(Debug)]
struct Lists {
    link: LinkId,
    local: IpAddr,
    current: Option<Signed>,
    /// Its end was signed with another key than this host has now.
    is_outdated: bool,
    next: Next,
    /// Which making of the next list: what is signed of another is of no use.
    turn: u64,
}

/// What a packet is to be named by and to say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) key_id: u32,
    /// The end of its list, said by the first packet of it, and again when it was signed anew.
    pub(crate) end: Option<SignedValue>,
}

/// The lists of a broadcast server.
#[derive(Debug, Default)]
pub(crate) struct KeyLists {
    links: Vec<Lists>,
    turns: u64,
}

impl KeyLists {
    /// Whether the end of a list for this interface is to be signed now: there is none that lasts beyond the
    /// next packet, or it is outdated. Another address there makes the lists of the old one useless.
    pub(crate) fn wants(&mut self, link: LinkId, local: IpAddr) -> bool {
        self.links.retain(|it| it.link != link || it.local == local);
        let Some(lists) = self.links.iter().find(|it| it.link == link) else {
            return true;
        };
        let left = lists.current.as_ref().map_or(0, |it| it.list.left());
        (left <= 1 || lists.is_outdated) && matches!(lists.next, Next::None)
    }

    /// The end of the list in use that is to be signed anew, and what names it until then; `None` if another
    /// list is to be made.
    pub(crate) fn begin_again(&mut self, link: LinkId) -> Option<(ListEnd, u64)> {
        let lists = self.links.iter_mut().find(|it| it.link == link)?;
        let is_outdated = core::mem::take(&mut lists.is_outdated);
        let current = lists.current.as_ref().filter(|it| it.list.left() > 1)?;
        if !is_outdated {
            return None;
        }
        self.turns += 1;
        (lists.next, lists.turn) = (Next::AskedAgain, self.turns);
        Some((current.list.end(), self.turns))
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
                is_outdated: false,
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
        let list = match core::mem::take(&mut lists.next) {
            Next::Asked(list) => list,
            Next::AskedAgain => {
                lists.is_outdated = end.is_none();
                if let Some((current, end)) = lists.current.as_mut().zip(end) {
                    (current.end, current.is_news) = (end, true);
                }
                return None;
            }
            Next::None | Next::Ready(_) => return None,
        };
        lists.next = end.map_or(Next::None, |end| {
            Next::Ready(Signed {
                list,
                end,
                is_news: true,
            })
        });
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
        let is_spent = lists.current.as_ref().is_none_or(|it| it.list.is_spent());
        if is_spent && let Next::Ready(next) = core::mem::take(&mut lists.next) {
            lists.current = Some(next);
        }
        let current = lists.current.as_mut()?;
        Some(Turn {
            key_id: current.list.take()?,
            end: core::mem::take(&mut current.is_news).then(|| current.end.clone()),
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

    /// The keys that signed the ends are others now: the lists go on, and their ends are signed anew.
    pub(crate) fn outdate(&mut self) {
        for lists in &mut self.links {
            lists.next = Next::None;
            lists.is_outdated = lists.current.is_some();
        }
    }

    /// The clock was stepped: what was signed before is not said any more.
    pub(crate) fn forget(&mut self) {
        self.links.clear();
    }
}
