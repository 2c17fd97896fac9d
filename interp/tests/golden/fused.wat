(module
  (memory 1)
  (data (i32.const 64) "\00\00\00\00" "\80\00\00\00" "\21\00\00\00" "\2c\00\00\00")
  (data (i32.const 128) "\05\0a\00\00" "\06\00\00\00" "\4d\00\00\00" "\58\00\00\00")
  (global $sp (mut i32) (i32.const 4096))
  (table funcref (elem $unoptimised))

  ;; What compilers emit without optimisation: variables live in memory.
  (func $unoptimised (export "unoptimised") (param $x i32) (result i32) (local $frame i32) (local $r i32)
    global.get $sp
    i32.const 16
    i32.sub
    local.tee $frame
    global.set $sp
    local.get $frame
    local.get $x
    i32.store offset=12
    local.get $frame
    local.get $frame
    i32.load offset=12
    i32.const 3
    i32.mul
    i32.store offset=8
    local.get $frame
    i32.load offset=8
    local.set $r
    local.get $frame
    i32.const 16
    i32.add
    global.set $sp
    local.get $r)

  ;; Twice what was just stored: the accumulator can stand for one operand.
  (func $twice (export "twice") (param $p i32) (result i32) (local $v i32)
    local.get $p
    local.get $p
    i32.load offset=4
    i32.store
    local.get $p
    i32.load
    local.get $p
    i32.load
    i32.load offset=8
    i32.add)

  ;; The local changes after its store; the load is of the old value.
  (func $assigned_after (export "assigned_after") (param $p i32) (param $v i32) (result i32)
    local.get $v
    i32.const 1
    i32.add
    local.get $v
    i32.const 7
    i32.mul
    local.set $v
    local.get $p
    local.get $v
    i32.store
    local.set $v
    local.get $p
    i32.load)

  ;; The upper half of what is stored is lost.
  (func $narrowed (export "narrowed") (param $p i32) (param $v i64) (result i64)
    local.get $p
    local.get $v
    i64.store32
    local.get $p
    i64.load32_u)

  ;; A stored value below the condition of a branch that carries operands.
  (func $below_branch (export "below_branch") (param $p i32) (param $c i32) (result i32)
    local.get $p
    local.get $p
    i32.load offset=4
    i32.store
    local.get $p
    i32.load
    i32.const 5
    local.get $c
    br_if 0
    i32.add)

  (func $chain (export "chain") (param $p i32) (result i32)
    local.get $p
    i32.load offset=4
    i32.load8_u offset=1)

  (func $copy (export "copy") (param $p i32) (param $q i32)
    local.get $p
    local.get $q
    i32.load offset=4
    i32.store offset=8)

  (func $branches (export "branches") (param $p i32) (result i32)
    block
      local.get $p
      i32.load
      br_if 0
      local.get $p
      i32.load8_u offset=1
      i32.const 10
      i32.eq
      br_if 0
      i32.const 3
      local.get $p
      i32.load offset=4
      i32.lt_s
      br_if 0
      i32.const 1
      return
    end
    local.get $p
    i32.load offset=12)

  ;; A label between two instructions that would be one.
  (func $label_between (export "label_between") (param $p i32) (param $c i32) (result i32) (local $v i32)
    local.get $p
    i32.load
    local.set $v
    block
      local.get $c
      br_if 0
      local.get $p
      i32.load offset=4
      local.set $v
    end
    local.get $p
    i32.load offset=8
    local.get $v
    i32.add)

  ;; Read in a block after it was assigned in another one: still zero there.
  (func $zeroed (export "zeroed") (param $c i32) (result i32) (local $a i32) (local $b i32) (local $l i32)
    block
      local.get $c
      br_if 0
      i32.const 9
      local.set $a
    end
    i32.const 4
    local.set $b
    local.get $a
    local.get $b
    i32.add)
)
