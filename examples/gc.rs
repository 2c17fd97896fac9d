//! Objects of the guest in the hands of the host: a list that the guest makes
//! and the host reads, one that the host makes and the guest sums up, and how
//! long handles last.
//!
//! Run it with `cargo run --example gc`.

use rwasm::{AnyRef, Engine, Instance, Module, Owned, Result, RootScope, Store, StructRef, Val};

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (type $node (struct (field i32) (field (mut (ref null $node)))))
            (func $cons (export "cons") (param i32 (ref null $node)) (result (ref $node))
                (struct.new $node (local.get 0) (local.get 1)))
            (func (export "count-down") (param $n i32) (result (ref null $node))
                (local $list (ref null $node)) (local $i i32)
                (loop $more
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (local.set $list (call $cons (local.get $i) (local.get $list)))
                    (br_if $more (i32.lt_s (local.get $i) (local.get $n))))
                (local.get $list))
            (func (export "sum") (param $list (ref null $node)) (result i32)
                (local $sum i32)
                (block $end
                    (loop $more
                        (br_if $end (ref.is_null (local.get $list)))
                        (local.set $sum (i32.add (local.get $sum)
                            (struct.get $node 0 (local.get $list))))
                        (local.set $list (struct.get $node 1 (local.get $list)))
                        (br $more)))
                (local.get $sum)))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;

    // A list of the guest's, read by the host. The handles made on the way end
    // with the scope, so that the list can be collected.
    let kept = {
        let mut scope = RootScope::new(&mut store);
        let count_down =
            instance.get_typed_func::<i32, Option<AnyRef>>(&mut scope, "count-down")?;
        let list = count_down.call(&mut scope, 5)?.expect("five nodes");
        let mut next = Some(list);
        let mut values = Vec::new();
        while let Some(node) = next {
            let node = node.as_struct(&scope)?.expect("a node is a struct");
            values.push(node.field(&mut scope, 0)?.unwrap_i32());
            next = node.field(&mut scope, 1)?.unwrap_anyref();
        }
        println!("the guest counts down: {values:?}");
        // What the host wants to keep, it owns.
        Owned::new(&mut scope, list)?
    };

    // One of the host's, of the same type as the guest's nodes.
    let ty = {
        let node = kept.get().as_struct(&store)?.expect("a node is a struct");
        node.ty(&store)?
    };
    let mut list = Val::AnyRef(None);
    for value in [10, 20, 12] {
        list = StructRef::new(&mut store, &ty, &[Val::I32(value), list])?.into();
    }
    let mut sum = [Val::I32(0)];
    let func = instance.get_func(&mut store, "sum").expect("an export");
    func.call(&mut store, &[list], &mut sum)?;
    println!("the guest sums up: {}", sum[0].unwrap_i32());

    // The guest's list is still there; once nobody owns it any more, it goes.
    store.gc();
    println!("kept: {} bytes", store.heap_stats().live_bytes);
    drop(kept);
    store.gc();
    println!("then: {} bytes", store.heap_stats().live_bytes);
    Ok(())
}
