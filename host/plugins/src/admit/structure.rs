//! Reads and validates the binary: top-level imports and exports with what they hold, and the embedded sections, which
//! the linker puts into the core module inside the component.

use aistack_domain::plugins::port::Refusal;
use std::collections::BTreeMap;
use wasmparser::{
    Chunk, ComponentExternalKind, Encoding, Parser, Payload, Validator, WasmFeatures,
    component_types::{ComponentEntityType, ComponentInstanceTypeId},
};

/// Largest embedded section.
const MAX_SECTION: usize = 256 << 10;
/// Most functions over all core modules: a hundred thousand tiny ones take the compiler many seconds.
const MAX_FUNCTIONS: u64 = 100_000;
/// Largest body of one function: the compiler's time grows faster than its size.
const MAX_BODY: usize = 1 << 20;

/// Components within components, the outermost counted: the compiler recurses into them.
const MAX_DEPTH: usize = 8;

/// Interfaces by their full name, each with the functions it holds.
pub(super) type Interfaces = BTreeMap<String, Vec<String>>;

/// What a component looks like from outside.
#[derive(Debug, Default)]
pub(super) struct Shape {
    pub(super) imports: Interfaces,
    pub(super) exports: Interfaces,
    pub(super) manifest: Option<Vec<u8>>,
    pub(super) config_schema: Option<Vec<u8>>,
}

fn not(e: impl std::fmt::Display) -> Refusal {
    Refusal::NotAComponent(e.to_string())
}

pub(super) fn read(bytes: &[u8]) -> Result<Shape, Refusal> {
    match Parser::new(0).parse(bytes, true) {
        Ok(Chunk::Parsed {
            payload: Payload::Version { encoding, .. },
            ..
        }) => {
            if encoding == Encoding::Module {
                return Err(not("this is a core module; build it for wasm32-wasip2"));
            }
        }
        Ok(_) | Err(_) => return Err(not("this is not WebAssembly, or it is cut short")),
    }
    let mut shape = Shape::default();
    let (mut functions, mut imports, mut exports) = (0, Vec::new(), Vec::new());
    let mut depth = 0usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(not)? {
            Payload::Version { .. } => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Refusal::Compile(format!("components nest deeper than {MAX_DEPTH}")));
                }
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CodeSectionStart { count, .. } => {
                functions += u64::from(count);
                if functions > MAX_FUNCTIONS {
                    return Err(Refusal::Compile(format!("it has more than {MAX_FUNCTIONS} functions")));
                }
            }
            Payload::CodeSectionEntry(body) if body.range().len() > MAX_BODY => {
                return Err(Refusal::Compile(format!("a function has more than {MAX_BODY} bytes")));
            }
            Payload::CustomSection(c) => match c.name() {
                "aistack:manifest" => keep(&mut shape.manifest, c.name(), c.data())?,
                "aistack:config-schema" => keep(&mut shape.config_schema, c.name(), c.data())?,
                _ => {}
            },
            Payload::ComponentImportSection(s) if depth == 1 => {
                for import in s {
                    imports.push(import.map_err(not)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(s) if depth == 1 => {
                for export in s {
                    let export = export.map_err(not)?;
                    if export.kind == ComponentExternalKind::Instance {
                        exports.push(export.name.name.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    let types = Validator::new_with_features(WasmFeatures::default())
        .validate_all(bytes)
        .map_err(not)?;
    let types = types.as_ref();
    let all = |names: Vec<String>, of: &dyn Fn(&str) -> Option<ComponentEntityType>| -> Interfaces {
        names
            .into_iter()
            .map(|name| {
                let functions = match of(&name) {
                    Some(ComponentEntityType::Instance(id)) => functions_of(types, id),
                    // A function imported by itself: it stands for an interface with one function.
                    _ => vec![name.clone()],
                };
                (name, functions)
            })
            .collect()
    };
    shape.imports = all(imports, &|n| types.component_item_for_import(n).map(|i| i.ty));
    shape.exports = all(exports, &|n| types.component_item_for_export(n).map(|i| i.ty));
    Ok(shape)
}

fn functions_of(types: wasmparser::types::TypesRef<'_>, id: ComponentInstanceTypeId) -> Vec<String> {
    types[id]
        .exports
        .iter()
        .filter(|(_, ty)| matches!(ty.ty, ComponentEntityType::Func(_)))
        .map(|(name, _)| name.clone())
        .collect()
}

fn keep(slot: &mut Option<Vec<u8>>, name: &str, data: &[u8]) -> Result<(), Refusal> {
    if data.len() > MAX_SECTION {
        return Err(Refusal::Manifest(format!(
            "section {name} has more than {MAX_SECTION} bytes"
        )));
    }
    match slot {
        Some(known) if known != data => Err(Refusal::Manifest(format!("section {name} occurs twice, differently"))),
        _ => {
            *slot = Some(data.to_vec());
            Ok(())
        }
    }
}
