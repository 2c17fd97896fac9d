func 0
  pushq %rbp
  movq %rsp, %rbp
block0:
  movq %rsi, %rax
  movq %rdx, %r11
  cltd  ;; implicit: %edx, %eax
  testl %r11d, %r11d
  jz #trap=int_divz
  idivl %r11d ;; implicit: %eax, %edx, trap=252
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq

func 1
  pushq %rbp
  movq %rsp, %rbp
block0:
  movq %rdx, %r11
  uninit  %rdx
  xorq %rdx, %rdx
  movq %rsi, %rax
  divq %r11 ;; implicit: %rax, %rdx, trap=254
  jmp     label1
block1:
  movq %rdx, %rax
  movq %rbp, %rsp
  popq %rbp
  retq

func 2
  pushq %rbp
  movq %rsp, %rbp
block0:
  cvt_float64_to_sint32_seq %xmm0, %eax, %rsi, %xmm3
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq

func 3
  pushq %rbp
  movq %rsp, %rbp
block0:
  jmp     label1
block1:
  cvt_float32_to_uint64_sat_seq %xmm0, %rax, %rsi, %xmm4, %xmm5
  movq %rbp, %rsp
  popq %rbp
  retq

func 4
  pushq %rbp
  movq %rsp, %rbp
block0:
  jmp     label1
block1:
  testl %ecx, %ecx
  movq %rdx, %rax
  cmovel %esi, %eax
  movq %rbp, %rsp
  popq %rbp
  retq

func 5
  pushq %rbp
  movq %rsp, %rbp
block0:
  movq %rsi, %rax
  mulq %rdx ;; implicit: %rax, %rdx
  jmp     label1
block1:
  movq %rdx, %rcx
  movq %rbp, %rsp
  popq %rbp
  retq
