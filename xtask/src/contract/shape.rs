//! Types and functions as WIT text, without their comments: how the reference shows them, and what is compared.

use wit_parser::{
    Function, FunctionKind, Handle, InterfaceId, Resolve, Stability, Type, TypeDefKind, TypeId, TypeOwner,
};

/// A package's interface without its version: `aistack:core/types`.
pub(super) fn interface_name(r: &Resolve, id: InterfaceId) -> String {
    let interface = &r.interfaces[id];
    let name = interface.name.as_deref().unwrap_or("(inline)");
    match interface.package {
        Some(p) => format!("{}:{}/{name}", r.packages[p].name.namespace, r.packages[p].name.name),
        None => name.to_owned(),
    }
}

/// Where a type of an interface comes from when the interface only uses it, and its name there.
pub(super) fn used(r: &Resolve, id: TypeId) -> Option<(InterfaceId, String)> {
    let TypeDefKind::Type(Type::Id(from)) = r.types[id].kind else {
        return None;
    };
    match (r.types[from].owner, r.types[id].owner) {
        (TypeOwner::Interface(there), TypeOwner::Interface(here)) if there != here => {
            Some((there, r.types[from].name.clone().unwrap_or_default()))
        }
        _ => None,
    }
}

/// The version that an item came with, when it says so.
pub(super) fn since(stability: &Stability) -> Option<String> {
    match stability {
        Stability::Stable { since, .. } => Some(since.to_string()),
        Stability::Unknown | Stability::Unstable { .. } => None,
    }
}

/// A type where it is used.
pub(super) fn ty(r: &Resolve, t: &Type) -> String {
    match t {
        Type::Bool => "bool".to_owned(),
        Type::U8 => "u8".to_owned(),
        Type::U16 => "u16".to_owned(),
        Type::U32 => "u32".to_owned(),
        Type::U64 => "u64".to_owned(),
        Type::S8 => "s8".to_owned(),
        Type::S16 => "s16".to_owned(),
        Type::S32 => "s32".to_owned(),
        Type::S64 => "s64".to_owned(),
        Type::F32 => "f32".to_owned(),
        Type::F64 => "f64".to_owned(),
        Type::Char => "char".to_owned(),
        Type::String => "string".to_owned(),
        Type::ErrorContext => "error-context".to_owned(),
        Type::Id(id) => match &r.types[*id].name {
            Some(name) => name.clone(),
            None => unnamed(r, &r.types[*id].kind),
        },
    }
}

fn unnamed(r: &Resolve, kind: &TypeDefKind) -> String {
    let opt = |t: &Option<Type>| t.as_ref().map_or_else(|| "_".to_owned(), |t| ty(r, t));
    match kind {
        TypeDefKind::List(t) => format!("list<{}>", ty(r, t)),
        TypeDefKind::Option(t) => format!("option<{}>", ty(r, t)),
        TypeDefKind::Tuple(t) => format!("tuple<{}>", list(t.types.iter().map(|t| ty(r, t)))),
        TypeDefKind::Handle(Handle::Borrow(id)) => format!("borrow<{}>", ty(r, &Type::Id(*id))),
        TypeDefKind::Handle(Handle::Own(id)) => ty(r, &Type::Id(*id)),
        TypeDefKind::Type(t) => ty(r, t),
        TypeDefKind::Result(x) => match (&x.ok, &x.err) {
            (None, None) => "result".to_owned(),
            (ok, None) => format!("result<{}>", opt(ok)),
            (ok, err) => format!("result<{}, {}>", opt(ok), opt(err)),
        },
        TypeDefKind::Map(k, v) => format!("map<{}, {}>", ty(r, k), ty(r, v)),
        TypeDefKind::FixedLengthList(t, n) => format!("list<{}, {n}>", ty(r, t)),
        TypeDefKind::Future(t) => format!("future<{}>", opt(t)),
        TypeDefKind::Stream(t) => format!("stream<{}>", opt(t)),
        // The others always have a name.
        other => other.as_str().to_owned(),
    }
}

/// What a type is, on one line: `record { key: string, value: string }`.
pub(super) fn definition(r: &Resolve, id: TypeId) -> String {
    if let Some((from, name)) = used(r, id) {
        return format!("use {}.{{{name}}}", interface_name(r, from));
    }
    match &r.types[id].kind {
        TypeDefKind::Record(x) => {
            let fields = x.fields.iter().map(|f| format!("{}: {}", f.name, ty(r, &f.ty)));
            format!("record {{ {} }}", list(fields))
        }
        TypeDefKind::Variant(x) => {
            let case = |c: &wit_parser::Case| match &c.ty {
                Some(t) => format!("{}({})", c.name, ty(r, t)),
                None => c.name.clone(),
            };
            format!("variant {{ {} }}", list(x.cases.iter().map(case)))
        }
        TypeDefKind::Enum(x) => format!("enum {{ {} }}", list(x.cases.iter().map(|c| c.name.clone()))),
        TypeDefKind::Flags(x) => format!("flags {{ {} }}", list(x.flags.iter().map(|f| f.name.clone()))),
        TypeDefKind::Resource => "resource".to_owned(),
        other => format!("type = {}", unnamed(r, other)),
    }
}

/// A function: `func(key: string) -> result<_, fault>`. The handle of a method's own resource is left out.
pub(super) fn function(r: &Resolve, f: &Function) -> String {
    let own = usize::from(matches!(f.kind, FunctionKind::Method(_) | FunctionKind::AsyncMethod(_)));
    let params = f
        .params
        .iter()
        .skip(own)
        .map(|p| format!("{}: {}", p.name, ty(r, &p.ty)));
    let word = match f.kind {
        FunctionKind::Constructor(_) => "constructor",
        FunctionKind::Static(_) => "static func",
        FunctionKind::AsyncStatic(_) => "static async func",
        FunctionKind::AsyncFreestanding | FunctionKind::AsyncMethod(_) => "async func",
        FunctionKind::Freestanding | FunctionKind::Method(_) => "func",
    };
    let result = f
        .result
        .as_ref()
        .map_or_else(String::new, |t| format!(" -> {}", ty(r, t)));
    format!("{word}({}){result}", list(params))
}

fn list(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
