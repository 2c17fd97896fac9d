;; Objects: a hash table with chains of structs in an array, whose values are of
;; two types that casts tell apart.

(type $bytes (array (mut i8)))
(type $value (sub (struct)))
(type $number (sub final $value (struct (field $number i64))))
(type $text (sub final $value (struct (field $bytes (ref $bytes)))))
(type $entry (struct
  (field $key i32) (field $value (mut (ref $value))) (field $next (ref null $entry))))
(type $table (array (mut (ref null $entry))))

(func $find (param $entry (ref null $entry)) (param $key i32) (result (ref null $entry))
  (loop $next
    (if (ref.is_null (local.get $entry)) (then (return (ref.null $entry))))
    (if (i32.eq (struct.get $entry $key (local.get $entry)) (local.get $key))
      (then (return (local.get $entry))))
    (local.set $entry (struct.get $entry $next (local.get $entry)))
    (br $next))
  unreachable)

;; A number for even keys, a text of up to 15 bytes for odd ones.
(func $make (param $key i32) (result (ref $value))
  (if (i32.and (local.get $key) (i32.const 1))
    (then
      (return
        (struct.new $text
          (array.new $bytes (local.get $key)
            (i32.and (i32.shr_u (local.get $key) (i32.const 1)) (i32.const 15)))))))
  (struct.new $number (i64.extend_i32_u (local.get $key))))

(func $measure (param $value (ref $value)) (result i64)
  (local $bytes (ref $bytes)) (local $at i32) (local $sum i64)
  (block $is_text (result (ref $text))
    (return
      (struct.get $number $number
        (ref.cast (ref $number)
          (br_on_cast $is_text (ref $value) (ref $text) (local.get $value))))))
  (local.set $bytes (struct.get $text $bytes))
  (loop $next
    (if (i32.lt_u (local.get $at) (array.len (local.get $bytes)))
      (then
        (local.set $sum
          (i64.add (local.get $sum)
            (i64.extend_i32_u (array.get_u $bytes (local.get $bytes) (local.get $at)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next))))
  (local.get $sum))

(func $compute (param $size i32) (result i64)
  (local $table (ref $table)) (local $random i32) (local $key i32) (local $slot i32)
  (local $entry (ref null $entry)) (local $checksum i64)
  (local.set $table (array.new_default $table (i32.const 1024)))
  (local.set $random (i32.const 31))
  (local.set $size (i32.mul (local.get $size) (i32.const 60000)))
  (loop $next
    (local.set $random
      (i32.add (i32.mul (local.get $random) (i32.const 1664525)) (i32.const 1013904223)))
    (local.set $key (i32.shr_u (local.get $random) (i32.const 20)))
    (local.set $slot (i32.and (local.get $key) (i32.const 1023)))
    (local.set $entry
      (call $find (array.get $table (local.get $table) (local.get $slot)) (local.get $key)))
    (if (ref.is_null (local.get $entry))
      (then
        (array.set $table (local.get $table) (local.get $slot)
          (struct.new $entry (local.get $key) (call $make (local.get $key))
            (array.get $table (local.get $table) (local.get $slot)))))
      (else
        (local.set $checksum
          (call $mix (local.get $checksum)
            (call $measure (struct.get $entry $value (local.get $entry)))))
        (if (i32.eqz (i32.and (local.get $random) (i32.const 0x70000)))
          (then
            (struct.set $entry $value (local.get $entry)
              (call $make (i32.shr_u (local.get $random) (i32.const 8))))))))
    (local.set $size (i32.sub (local.get $size) (i32.const 1)))
    (br_if $next (i32.gt_s (local.get $size) (i32.const 0))))
  (local.get $checksum))
