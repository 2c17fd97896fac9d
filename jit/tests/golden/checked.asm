func 0
  pushq %rbp
  movq %rsp, %rbp
block0:
  movq 0x40(%rdi), %rdi
  movq 8(%rdi), %rax
  movl %esi, %ecx
  leaq 0x18(%rcx), %rdx
  cmpq %rax, %rdx
  jnbe #trap=heap_oob
  movq (%rdi), %rdi
  uninit  %rsi
  xorq %rsi, %rsi
  leaq 0x10(%rdi, %rcx), %rcx
  cmpq %rax, %rdx
  cmovaq %rsi, %rcx
  movsd (%rcx), %xmm0
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq

func 1
  pushq %rbp
  movq %rsp, %rbp
block0:
  movq %rsi, %r11
  addq $0x14, %r11
  jb #trap=heap_oob
  movq 0x48(%rdi), %rcx
  movq 8(%rcx), %rax
  cmpq %rax, %r11
  jnbe #trap=heap_oob
  movq (%rcx), %rdi
  uninit  %rcx
  xorq %rcx, %rcx
  leaq 0x10(%rdi, %rsi), %rsi
  cmpq %rax, %r11
  cmovaq %rcx, %rsi
  movl %edx, (%rsi)
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq
