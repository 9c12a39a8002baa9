//! Roles and skills as bits, so that a filter is one comparison.
//!
//! The first 63 that are seen get a bit each; all others share the last bit, and for
//! those the bits say only "perhaps": [`Wanted::exact`] is false and the caller looks.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::buckets::Mask;

const SHARED: Mask = 1 << 63;

/// Something to filter by. A role and a skill of the same name are two traits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trait<'a> {
    Role(&'a str),
    Skill(&'a str),
}

/// What a filter asks of a mask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// All of these bits.
    pub(super) mask: Mask,
    /// Whether the bits alone decide.
    pub(super) exact: bool,
}

/// Which trait has which bit. Bits are never given back.
#[derive(Clone, Debug, Default)]
pub(super) struct Traits {
    roles: FxHashMap<Arc<str>, Mask>,
    skills: FxHashMap<Arc<str>, Mask>,
}

impl Traits {
    fn len(&self) -> usize {
        self.roles.len() + self.skills.len()
    }

    fn bit(&self, wanted: Trait<'_>) -> Option<Mask> {
        match wanted {
            Trait::Role(name) => self.roles.get(name).copied(),
            Trait::Skill(name) => self.skills.get(name).copied(),
        }
    }

    /// The bit of a trait, which gets one if it has none yet.
    pub(super) fn intern(&mut self, wanted: Trait<'_>) -> Mask {
        if let Some(bit) = self.bit(wanted) {
            return bit;
        }
        let known = self.len();
        // Those that share a bit need no record: not to be known means to share it.
        if known >= 63 {
            return SHARED;
        }
        let bit = 1 << known;
        match wanted {
            Trait::Role(name) => self.roles.insert(name.into(), bit),
            Trait::Skill(name) => self.skills.insert(name.into(), bit),
        };
        bit
    }

    /// What to ask of a mask for all of these traits; `None` where nobody can have them.
    pub(super) fn wanted<'a>(&self, traits: impl IntoIterator<Item = Trait<'a>>) -> Option<Wanted> {
        let mut wanted = Wanted { mask: 0, exact: true };
        for one in traits {
            match self.bit(one) {
                Some(bit) => wanted.mask |= bit,
                None if self.len() < 63 => return None,
                None => wanted = Wanted { mask: wanted.mask | SHARED, exact: false },
            }
        }
        Some(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_and_a_skill_of_one_name_are_two_traits() {
        let mut traits = Traits::default();
        let role = traits.intern(Trait::Role("medic"));
        let skill = traits.intern(Trait::Skill("medic"));
        assert_eq!(role & skill, 0);
        assert_eq!(traits.intern(Trait::Role("medic")), role);
        assert!(traits.wanted([Trait::Role("unheard of")]).is_none());
    }

    #[test]
    fn traits_beyond_the_bits_share_one_and_say_so() {
        let mut traits = Traits::default();
        for i in 0..100 {
            traits.intern(Trait::Skill(&format!("s{i}")));
        }
        let own = traits.wanted([Trait::Skill("s62")]).unwrap();
        assert!(own.exact && own.mask == 1 << 62);
        let shared = traits.wanted([Trait::Skill("s99"), Trait::Skill("s0")]).unwrap();
        assert!(!shared.exact && shared.mask == SHARED | 1);
    }
}
