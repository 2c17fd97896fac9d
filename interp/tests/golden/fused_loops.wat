(module
  (memory 1)
  (type $unary (func (param i32) (result i32)))
  (table funcref (elem $half $twice))
  (func $half (type $unary) local.get 0 i32.const 1 i32.shr_u)
  (func $twice (type $unary) local.get 0 i32.const 1 i32.shl)

  ;; Orders three ways, as sorts do.
  (func $order (export "order") (param $n i32) (result i32) (local $sum i32) (local $x i32)
    loop $next
      local.get $sum i32.const 3 i32.mul
      local.get $n local.get $x i32.lt_u
      local.get $x local.get $n i32.lt_u
      i32.sub
      i32.add local.set $sum
      local.get $sum i32.const 5 i32.mul
      local.get $n local.get $sum i32.lt_s
      local.get $sum local.get $n i32.lt_s
      i32.sub
      i32.add local.set $sum
      local.get $x i32.const 7 i32.add local.set $x
      local.get $n i32.const -1 i32.add local.tee $n
      br_if $next
    end
    local.get $sum)
  (func $order_wide (param $a i64) (param $b i64) (result i32)
    local.get $a local.get $b i64.lt_u
    local.get $b local.get $a i64.lt_u
    i32.sub)

  ;; Fields, products and hashes.
  (func $mix (export "mix") (param $n i32) (result i32) (local $a i32) (local $h i64) (local $g i64)
    i64.const 0x9e3779b97f4a7c15 local.set $h
    loop $next
      local.get $a local.get $n i32.mul local.get $a i32.add local.set $a
      local.get $a i32.const 31 i32.mul local.get $n i32.add local.set $a
      local.get $h local.get $a i64.extend_i32_u i64.xor local.tee $g
      i64.const 13 i64.rotl local.set $h
      local.get $g local.get $h i64.add local.tee $g
      i64.const 32 i64.rotl local.get $h i64.add local.set $h
      local.get $h i64.const 7 i64.shr_u local.get $g i64.xor
      i64.const 0x2545f4914f6cdd1d i64.mul local.set $h
      local.get $h local.get $g i64.xor local.tee $g i64.const 3 i64.shl local.get $h i64.xor local.set $h
      local.get $h local.get $g i64.xor local.tee $g i64.const 9 i64.shr_u local.get $h i64.xor local.set $h
      local.get $h i64.const 5 i64.mul i64.const 3 i64.shr_u i64.const 4 i64.shl i64.const 1 i64.or
      local.get $h i64.add local.set $h
      local.get $n i32.const -1 i32.add local.tee $n
      br_if $next
    end
    local.get $h i32.wrap_i64 local.get $a i32.xor
    local.get $h local.get $g call $order_wide i32.add)

  ;; Bits that decide.
  (func $classes (export "classes") (param $n i32) (result i32) (local $x i32) (local $count i32) (local $last i32)
    loop $next
      block $small
        local.get $n i32.const 255 i32.and local.tee $x
        i32.const 10 i32.lt_u br_if $small
        local.get $count i32.const 2 i32.add local.set $count
        i32.const 77 local.set $last
      end
      block $large
        local.get $n i32.const 63 i32.and local.tee $x
        i32.const 40 i32.ge_u br_if $large
        local.get $count local.get $x i32.add local.set $count
      end
      block $d block $c block $b block $a
        local.get $n i32.const 3 i32.and br_table $a $b $c $d
      end
        local.get $count i32.const 100 i32.add local.set $count br $d
      end
        local.get $count i32.const 1000 i32.add local.set $count br $d
      end
        local.get $count i32.const 1 i32.add local.set $count
        i32.const 5 local.set $last
      end
      local.get $n i32.const -1 i32.add local.tee $n
      br_if $next
    end
    local.get $count local.get $last i32.add)

  ;; Accesses and the arithmetic of their addresses.
  (func $touch (export "touch") (param $n i32) (result i32) (local $p i32) (local $q i32) (local $i i32) (local $s i32) (local $t i32)
    i32.const 1024 local.set $p
    i32.const 4096 local.set $q
    local.get $n i32.const 255 i32.and i32.const 1 i32.add local.set $i
    loop $next
      local.get $p local.get $s i32.const 3 i32.add i32.store
      local.get $q local.get $s i32.const 9 i32.add local.tee $t i32.store
      local.get $q local.get $t i32.const 5 i32.add i32.store16 offset=4
      local.get $i i32.const 2 i32.shl i32.const 8192 i32.add local.get $t i32.store
      local.get $q local.get $i i32.const 2 i32.shl i32.add local.get $s i32.store offset=16
      local.get $p local.get $i i32.add i32.load local.get $s i32.xor local.set $s
      local.get $p local.get $i i32.add local.tee $t i32.load16_u local.get $t i32.add local.get $s i32.add local.set $s
      local.get $q local.get $i i32.const 1 i32.add i32.add i32.load8_u local.get $s i32.add local.set $s
      local.get $p i32.const 4 i32.add i32.load16_s local.get $q i32.load16_s i32.mul local.get $s i32.add local.set $s
      local.get $p i32.const 4 i32.add i32.load16_u local.get $q i32.load16_u i32.mul local.get $s i32.add local.set $s
      local.get $p i32.const 4 i32.add i32.load local.get $q i32.load i32.mul local.get $s i32.add local.set $s
      local.get $q local.get $p i32.const 2 i32.add i32.load8_u i32.store8 offset=33
      local.get $p i32.const 1 i32.add local.set $p
      local.get $q i32.const 2 i32.add local.set $q
      local.get $i i32.const -1 i32.add local.tee $i
      br_if $next
    end
    local.get $s)

  ;; Strings: how far two are the same, and characters of a range.
  (func $strings (export "strings") (param $n i32) (result i32) (local $p i32) (local $q i32) (local $i i32) (local $s i32) (local $c i32)
    local.get $n i32.const 127 i32.and i32.const 2 i32.add local.set $i
    loop $fill
      local.get $i local.get $i i32.const 37 i32.mul i32.store8 offset=512
      local.get $i local.get $i i32.const 37 i32.mul i32.const 6 i32.shr_u i32.store8 offset=768
      local.get $i i32.const -1 i32.add local.tee $i
      br_if $fill
    end
    local.get $n i32.const 127 i32.and i32.const 2 i32.add local.set $i
    i32.const 512 local.set $p
    i32.const 768 local.set $q
    loop $next
      block $other
        local.get $p i32.load8_u local.get $q i32.load8_u i32.ne br_if $other
        local.get $s i32.const 1000 i32.add local.set $s
      end
      block $same
        local.get $p local.get $i i32.add i32.load8_u local.get $q local.get $i i32.add i32.load8_u i32.eq br_if $same
        local.get $s i32.const 1 i32.add local.set $s
      end
      block $digit
        local.get $p i32.load8_u local.tee $c i32.const -48 i32.add i32.const 10 i32.lt_u br_if $digit
        local.get $s local.get $c i32.add local.set $s
      end
      block $least
        local.get $s local.get $q i32.load local.tee $c i32.lt_u br_if $least
        local.get $s local.get $c i32.sub local.set $s
      end
      local.get $p i32.const 1 i32.add local.set $p
      local.get $q i32.const 1 i32.add local.set $q
      local.get $i i32.const -1 i32.add local.tee $i
      br_if $next
    end
    local.get $s)

  (func $calls (export "calls") (param $n i32) (result i32) (local $s i32)
    loop $next
      local.get $s
      local.get $n local.get $n i32.const 1 i32.and call_indirect (type $unary)
      i32.add local.set $s
      local.get $n i32.const -1 i32.add local.tee $n
      br_if $next
    end
    local.get $s)

  (func $floats (export "floats") (param $n i32) (result i32) (local $i i32) (local $p i32) (local $a f64) (local $b f64) (local $c f64)
    i32.const 0 local.set $p
    f64.const 1.5 local.set $b
    loop $fill
      local.get $p local.get $b f64.store
      local.get $b f64.const 1.25 f64.mul local.set $b
      local.get $p i32.const 8 i32.add local.tee $p i32.const 256 i32.ne br_if $fill
    end
    local.get $n i32.const 15 i32.and i32.const 1 i32.add local.set $i
    i32.const 16 local.set $p
    loop $next
      local.get $a local.get $p i32.const 8 i32.add f64.load f64.add local.set $a
      local.get $a local.get $p i32.const 16 i32.add f64.load f64.sub local.set $c
      local.get $b local.get $c f64.sub local.get $a f64.mul local.get $b f64.add local.set $b
      local.get $p local.get $a local.get $c f64.mul local.get $b f64.add f64.store
      local.get $a local.get $p i32.const 24 i32.add f64.load f64.mul local.set $a
      local.get $c local.get $p i32.const 8 i32.add f64.load local.get $p i32.const 16 i32.add f64.load f64.mul f64.add local.set $c
      local.get $c local.get $a f64.const 1e-3 f64.mul f64.add local.set $a
      local.get $p i32.const 8 i32.add local.set $p
      local.get $c local.set $b
      local.get $i i32.const -1 i32.add local.tee $i
      br_if $next
    end
    local.get $a i64.reinterpret_f64 i32.wrap_i64
    local.get $b i64.reinterpret_f64 i64.const 32 i64.shr_u i32.wrap_i64 i32.xor
    local.get $c i64.reinterpret_f64 i32.wrap_i64 i32.add)
)
