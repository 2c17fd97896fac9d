func 0
  pushq %rbp
  movq %rsp, %rbp
  movq (%rdi), %r10
  movq 0x18(%r10), %r10
  addq $0x20, %r10
  cmpq %rsp, %r10
  jnbe #trap=stk_ovf
  subq $0x10, %rsp
  movq %rbx, (%rsp)
  movq %r15, 8(%rsp)
block0:
  movq %rsi, %rbx
  uninit  %rsi
  xorl %esi, %esi
  movq %rdi, %r15
  call    User(userextname0)
  movq %rbx, %rsi
  movl %esi, %edx
  movq 0x28(%r15), %r11
  movl %eax, %ecx
  movq %rdx, 0x10(%r11, %rcx)
  movabsq $0x3ff0000000000000, %rdx
  movq %rdx, %xmm0
  movsd %xmm0, 0x18(%r11, %rcx)
  movq %rax, %rsi
  movq %r15, %rdi
  call    User(userextname1)
  ud2

func 1
  pushq %rbp
  movq %rsp, %rbp
  movq (%rdi), %r10
  movq 0x18(%r10), %r10
  addq $0x50, %r10
  cmpq %rsp, %r10
  jnbe #trap=stk_ovf
  subq $0x40, %rsp
  movq %rbx, 0x10(%rsp)
  movq %r12, 0x18(%rsp)
  movq %r13, 0x20(%rsp)
  movq %r14, 0x28(%rsp)
  movq %r15, 0x30(%rsp)
block0:
  movq %rdi, <offset:1>+(%rsp)
  jmp     label1
block1:
  movq <offset:1>+(%rsp), %rdi
  call    User(userextname0); jmp MachLabel(2); catch [context stack0, tag0: MachLabel(5), default: MachLabel(3)]
block2:
  movq 0x10(%rsp), %rbx
  movq 0x18(%rsp), %r12
  movq 0x20(%rsp), %r13
  movq 0x28(%rsp), %r14
  movq 0x30(%rsp), %r15
  addq $0x40, %rsp
  movq %rbp, %rsp
  popq %rbp
  retq
block4:
  movl $0xffffffff, %eax
  movq 0x10(%rsp), %rbx
  movq 0x18(%rsp), %r12
  movq 0x20(%rsp), %r13
  movq 0x28(%rsp), %r14
  movq 0x30(%rsp), %r15
  addq $0x40, %rsp
  movq %rbp, %rsp
  popq %rbp
  retq
block6:
  jmp     label7
block7:
  movq 0x10(%rsp), %rbx
  movq 0x18(%rsp), %r12
  movq 0x20(%rsp), %r13
  movq 0x28(%rsp), %r14
  movq 0x30(%rsp), %r15
  addq $0x40, %rsp
  movq %rbp, %rsp
  popq %rbp
  retq
block3:
  jmp     label4
block5:
  movq <offset:1>+(%rsp), %rcx
  movq 0x28(%rcx), %rcx
  movl %eax, %edx
  movl 0x10(%rcx, %rdx), %eax
  movsd 0x18(%rcx, %rdx), %xmm0
  jmp     label6

func 2
  pushq %rbp
  movq %rsp, %rbp
  movq (%rdi), %r10
  movq 0x18(%r10), %r10
  addq $0x10, %r10
  cmpq %rsp, %r10
  jnbe #trap=stk_ovf
block0:
  testl %esi, %esi
  jz #trap=user16
  call    User(userextname0)
  ud2
