func 0
  pushq %rbp
  movq %rsp, %rbp
block0:
  movdqa %xmm0, %xmm1
  movq 8(%rdi), %r8
  movl %esi, %r9d
  movdqu (%r8, %r9), %xmm0
  jmp     label1
block1:
  paddd %xmm1, %xmm0
  mulps %xmm1, %xmm0
  movq %rbp, %rsp
  popq %rbp
  retq

func 1
  pushq %rbp
  movq %rsp, %rbp
block0:
  jmp     label1
block1:
  mulps %xmm1, %xmm0
  addps %xmm2, %xmm0
  movq %rbp, %rsp
  popq %rbp
  retq

func 2
  pushq %rbp
  movq %rsp, %rbp
block0:
  jmp     label1
block1:
  punpcklbw %xmm1, %xmm0
  movq %rbp, %rsp
  popq %rbp
  retq

func 3
  pushq %rbp
  movq %rsp, %rbp
block0:
  movq 8(%rdi), %rdi
  movl %esi, %r8d
  movzwq (%rdi, %r8), %rdi
  jmp     label1
block1:
  pinsrw $0x3, %edi, %xmm0
  movq %rbp, %rsp
  popq %rbp
  retq

func 4
  pushq %rbp
  movq %rsp, %rbp
block0:
  jmp     label1
block1:
  uninit  %xmm5
  pxor %xmm5, %xmm5
  pcmpeqb %xmm5, %xmm0
  ptest %xmm0, %xmm0
  sete %r11b
  movzbl %r11b, %eax
  movq %rbp, %rsp
  popq %rbp
  retq
