//! Roles and skills as bits, so that a filter is one comparison.
//!
//! The first 63 that are seen get a bit each; all others share the last bit, and for
//! those the bits say only "perhaps": [`Wanted::exact`] is false and the caller looks.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::buckets::Mask;

const SHARED: Mask = 1 << 63;

/// Something to filter by. A role and a skill of the same name are two traits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Trait {
    Role(Arc<str>),
    Skill(Arc<str>),
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
    bits: FxHashMap<Trait, Mask>,
}

impl Traits {
    /// The bit of a trait, which gets one if it has none yet.
    pub(super) fn intern(&mut self, wanted: Trait) -> Mask {
        let known = self.bits.len();
        // Those that share a bit need no record: not to be known means to share it.
        if known >= 63 {
            return self.bits.get(&wanted).copied().unwrap_or(SHARED);
        }
        *self.bits.entry(wanted).or_insert(1 << known)
    }

    /// What to ask of a mask for all of these traits; `None` where nobody can have them.
    pub(super) fn wanted(&self, traits: impl IntoIterator<Item = Trait>) -> Option<Wanted> {
        let mut wanted = Wanted { mask: 0, exact: true };
        for one in traits {
            match self.bits.get(&one) {
                Some(bit) => wanted.mask |= bit,
                None if self.bits.len() < 63 => return None,
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
        let role = traits.intern(Trait::Role("medic".into()));
        let skill = traits.intern(Trait::Skill("medic".into()));
        assert_eq!(role & skill, 0);
        assert_eq!(traits.intern(Trait::Role("medic".into())), role);
        assert!(traits.wanted([Trait::Role("unheard of".into())]).is_none());
    }

    #[test]
    fn traits_beyond_the_bits_share_one_and_say_so() {
        let mut traits = Traits::default();
        for i in 0..100 {
            traits.intern(Trait::Skill(format!("s{i}").into()));
        }
        let own = traits.wanted([Trait::Skill("s62".into())]).unwrap();
        assert!(own.exact && own.mask == 1 << 62);
        let shared = traits.wanted([Trait::Skill("s99".into()), Trait::Skill("s0".into())]).unwrap();
        assert!(!shared.exact && shared.mask == SHARED | 1);
    }
}
