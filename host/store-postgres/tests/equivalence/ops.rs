//! The operations that both stores are put through.

use proptest::prelude::*;

/// One transaction. Small numbers, so that operations meet: the same member, key, event, order again and again.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    AddUser {
        id: u8,
        email: u8,
    },
    UpdateUser {
        id: u8,
        email: u8,
        owner: bool,
    },
    DeleteUser {
        id: u8,
    },
    AddSession {
        id: u8,
        user: u8,
    },
    RevokeSessions {
        user: u8,
        at: u8,
    },
    AddInstallation {
        id: u8,
    },
    UpdateInstallation {
        id: u8,
        generation: u8,
    },
    DeleteInstallation {
        id: u8,
    },
    AddIdentity {
        installation: u8,
        user: u8,
        subject: u8,
    },
    AddSecret {
        installation: u8,
        version: u8,
    },
    PutKey {
        installation: u8,
        key: u8,
        value: String,
        expires: Option<u8>,
        version: Option<i8>,
        now: u8,
    },
    RemoveKey {
        installation: u8,
        key: u8,
    },
    AddLogin {
        id: u8,
        installation: u8,
        expires: u8,
    },
    TakeLogin {
        id: u8,
        installation: u8,
    },
    Sweep {
        now: u8,
    },
    Record {
        id: u8,
        event: u8,
        quantity: i16,
        hours: u8,
    },
    Count {
        amount: i8,
        cap: Option<i8>,
    },
    AddOrder {
        id: u8,
        key: Option<u8>,
        keep: bool,
    },
    PayOrder {
        id: u8,
        from: u8,
    },
    Claim {
        installation: u8,
        event: u8,
    },
    Push {
        id: u8,
        at: u8,
    },
    Relay {
        id: u8,
    },
    SealKey {
        subject: u8,
        wrapped: u8,
    },
    Search {
        text: String,
        after: u8,
        oldest_first: bool,
        limit: u8,
    },
    Enqueue {
        id: u8,
        due: u8,
    },
    Lease {
        now: u8,
    },
    End {
        id: u8,
        attempts: u8,
        well: bool,
        at: u8,
    },
    Setting {
        name: u8,
        value: u8,
        new: bool,
    },
}

fn small() -> impl Strategy<Value = u8> {
    0..4u8
}

/// Any operation.
pub(crate) fn op() -> impl Strategy<Value = Op> {
    let text = prop_oneof![
        Just("%".to_owned()),
        Just("_".to_owned()),
        Just("Ä".to_owned()),
        "[a-cA-C@.1!]{0,3}"
    ];
    prop_oneof![
        (small(), small()).prop_map(|(id, email)| Op::AddUser { id, email }),
        (small(), small(), any::<bool>()).prop_map(|(id, email, owner)| Op::UpdateUser { id, email, owner }),
        small().prop_map(|id| Op::DeleteUser { id }),
        (small(), small()).prop_map(|(id, user)| Op::AddSession { id, user }),
        (small(), 0..20u8).prop_map(|(user, at)| Op::RevokeSessions { user, at }),
        small().prop_map(|id| Op::AddInstallation { id }),
        (small(), small()).prop_map(|(id, generation)| Op::UpdateInstallation { id, generation }),
        small().prop_map(|id| Op::DeleteInstallation { id }),
        (small(), small(), small()).prop_map(|(installation, user, subject)| Op::AddIdentity {
            installation,
            user,
            subject
        }),
        (small(), small()).prop_map(|(installation, version)| Op::AddSecret { installation, version }),
        (
            small(),
            small(),
            "\\PC{0,4}",
            any::<Option<u8>>(),
            proptest::option::of(-1..4i8),
            any::<u8>()
        )
            .prop_map(|(installation, key, value, expires, version, now)| Op::PutKey {
                installation,
                key,
                value,
                expires,
                version,
                now
            }),
        (small(), small()).prop_map(|(installation, key)| Op::RemoveKey { installation, key }),
        (small(), small(), any::<u8>()).prop_map(|(id, installation, expires)| Op::AddLogin {
            id,
            installation,
            expires
        }),
        (small(), small()).prop_map(|(id, installation)| Op::TakeLogin { id, installation }),
        any::<u8>().prop_map(|now| Op::Sweep { now }),
        (small(), small(), any::<i16>(), 0..3u8).prop_map(|(id, event, quantity, hours)| Op::Record {
            id,
            event,
            quantity,
            hours
        }),
        (any::<i8>(), any::<Option<i8>>()).prop_map(|(amount, cap)| Op::Count { amount, cap }),
        (small(), proptest::option::of(small()), any::<bool>()).prop_map(|(id, key, keep)| Op::AddOrder {
            id,
            key,
            keep
        }),
        (small(), small()).prop_map(|(id, from)| Op::PayOrder { id, from }),
        (small(), small()).prop_map(|(installation, event)| Op::Claim { installation, event }),
        (small(), small()).prop_map(|(id, at)| Op::Push { id, at }),
        small().prop_map(|id| Op::Relay { id }),
        (small(), any::<u8>()).prop_map(|(subject, wrapped)| Op::SealKey { subject, wrapped }),
        (text, small(), any::<bool>(), 0..4u8).prop_map(|(text, after, oldest_first, limit)| Op::Search {
            text,
            after,
            oldest_first,
            limit
        }),
        (small(), small()).prop_map(|(id, due)| Op::Enqueue { id, due }),
        small().prop_map(|now| Op::Lease { now }),
        (small(), small(), any::<bool>(), small()).prop_map(|(id, attempts, well, at)| Op::End {
            id,
            attempts,
            well,
            at
        }),
        (small(), any::<u8>(), any::<bool>()).prop_map(|(name, value, new)| Op::Setting { name, value, new }),
    ]
}
