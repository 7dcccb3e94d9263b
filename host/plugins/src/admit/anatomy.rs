//! What a component looks like from outside, without judging it: for authors' tools, which also have to speak of
//! components that no host would take.

use super::{sha256, signatures, structure};
use aistack_domain::plugins::port::{Refusal, SignatureBlock};
use std::collections::BTreeMap;
use wasmparser::{
    Validator, WasmFeatures,
    component_types::{ComponentDefinedType, ComponentEntityType, ComponentFuncTypeId, ComponentValType},
    types::TypesRef,
};

/// A component's outside. Interfaces by full name, each with its functions and their types written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anatomy {
    /// What it imports.
    pub imports: BTreeMap<String, BTreeMap<String, String>>,
    /// What it exports.
    pub exports: BTreeMap<String, BTreeMap<String, String>>,
    /// The embedded manifest, if there is one.
    pub manifest: Option<Vec<u8>>,
    /// The embedded config schema, if there is one.
    pub config_schema: Option<Vec<u8>>,
    /// Its signatures, none of them verified.
    pub signatures: Vec<SignatureBlock>,
    /// SHA-256 of all of it, lower-case hex.
    pub digest: String,
    /// SHA-256 of it without its signature section: what signatures are about.
    pub payload_sha256: [u8; 32],
    /// Length without the signature section.
    pub payload_size: usize,
}

/// Takes a component apart.
///
/// # Errors
/// When it is no valid component, or larger within than any host takes.
pub fn dissect(component: &[u8]) -> Result<Anatomy, Refusal> {
    let shape = structure::read(component)?;
    let (signatures, payload_size) = signatures::read(component)?;
    let types = Validator::new_with_features(WasmFeatures::default())
        .validate_all(component)
        .map_err(|e| Refusal::NotAComponent(e.to_string()))?;
    let types = types.as_ref();
    let typed = |names: &structure::Interfaces, of: &dyn Fn(&str) -> Option<ComponentEntityType>| {
        names
            .keys()
            .map(|name| {
                (
                    name.clone(),
                    of(name).map_or_else(BTreeMap::new, |ty| functions(types, name, ty)),
                )
            })
            .collect()
    };
    Ok(Anatomy {
        imports: typed(&shape.imports, &|n| types.component_item_for_import(n).map(|i| i.ty)),
        exports: typed(&shape.exports, &|n| types.component_item_for_export(n).map(|i| i.ty)),
        manifest: shape.manifest,
        config_schema: shape.config_schema,
        signatures,
        digest: super::digest(component),
        payload_sha256: sha256(&component[..payload_size]),
        payload_size,
    })
}

fn functions(types: TypesRef<'_>, name: &str, ty: ComponentEntityType) -> BTreeMap<String, String> {
    match ty {
        ComponentEntityType::Instance(id) => types[id]
            .exports
            .iter()
            .filter_map(|(name, item)| match item.ty {
                ComponentEntityType::Func(f) => Some((name.clone(), function(types, f))),
                _ => None,
            })
            .collect(),
        ComponentEntityType::Func(f) => [(name.to_owned(), function(types, f))].into(),
        _ => BTreeMap::new(),
    }
}

/// A function's type, with every named type in it written out: two are the same when their texts are.
fn function(types: TypesRef<'_>, id: ComponentFuncTypeId) -> String {
    let f = &types[id];
    let params: Vec<String> = f
        .params
        .iter()
        .map(|(n, t)| format!("{n}: {}", value(types, *t)))
        .collect();
    let result = f
        .result
        .map_or_else(String::new, |t| format!(" -> {}", value(types, t)));
    let kind = if f.async_ { "async func" } else { "func" };
    format!("{kind}({}){result}", params.join(", "))
}

fn value(types: TypesRef<'_>, ty: ComponentValType) -> String {
    use ComponentDefinedType as D;
    let of = |t: ComponentValType| value(types, t);
    let maybe = |t: Option<ComponentValType>| t.map_or_else(|| "_".to_owned(), of);
    let id = match ty {
        ComponentValType::Primitive(p) => return p.to_string(),
        ComponentValType::Type(id) => id,
    };
    match &types[id] {
        D::Primitive(p) => p.to_string(),
        D::Record(r) => list("record", r.fields.iter().map(|(n, t)| format!("{n}: {}", of(*t)))),
        D::Variant(v) => list(
            "variant",
            v.cases.iter().map(|(n, c)| match c.ty {
                Some(t) => format!("{n}({})", of(t)),
                None => n.to_string(),
            }),
        ),
        D::List(t) => format!("list<{}>", of(*t)),
        D::Map(k, v) => format!("map<{}, {}>", of(*k), of(*v)),
        D::FixedLengthList(t, n) => format!("list<{}, {n}>", of(*t)),
        D::Tuple(t) => format!(
            "tuple<{}>",
            t.types.iter().map(|t| of(*t)).collect::<Vec<_>>().join(", ")
        ),
        D::Flags(names) => list("flags", names.iter().map(ToString::to_string)),
        D::Enum(names) => list("enum", names.iter().map(ToString::to_string)),
        D::Option(t) => format!("option<{}>", of(*t)),
        D::Result { ok, err } => format!("result<{}, {}>", maybe(*ok), maybe(*err)),
        // Which resource it is shows in the interface's other functions.
        D::Own(_) => "own".to_owned(),
        D::Borrow(_) => "borrow".to_owned(),
        D::Future(t) => format!("future<{}>", maybe(*t)),
        D::Stream(t) => format!("stream<{}>", maybe(*t)),
    }
}

fn list(kind: &str, members: impl Iterator<Item = String>) -> String {
    format!("{kind} {{ {} }}", members.collect::<Vec<_>>().join(", "))
}
