func 0
  pushq %rbp
  movq %rsp, %rbp
block0:
  movq %rsi, %r8
  movq 8(%rdi), %rsi
  movq %r8, %rdi
  movl %edi, %edi
  movl 8(%rsi, %rdi), %eax
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq

func 1
  pushq %rbp
  movq %rsp, %rbp
block0:
  movq %rsi, %r8
  movq 8(%rdi), %rsi
  movq %r8, %rdi
  movl %edi, %edi
  movw %dx, (%rsi, %rdi)
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq

func 2
  pushq %rbp
  movq %rsp, %rbp
block0:
  movq 8(%rdi), %r8
  jmp     label1
block1:
  movl %esi, %r9d
  movzbq (%r8, %r9), %r10
  leal 1(%r10), %r10d
  movb %r10b, (%r8, %r9)
  subl $0x1, %esi
  testl %esi, %esi
  jnz     label2; j label3
block2:
  jmp     label1
block3:
  jmp     label4
block4:
  jmp     label5
block5:
  movq %rbp, %rsp
  popq %rbp
  retq

func 3
  pushq %rbp
  movq %rsp, %rbp
block0:
  movq 8(%rdi), %rdi
  movl %esi, %esi
  movl (%rdi, %rsi), %esi
  movl 8(%rdi, %rsi), %eax
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq

func 4
  pushq %rbp
  movq %rsp, %rbp
block0:
  movq 0x40(%rdi), %rax
  movq 8(%rax), %rax
  movl %esi, %ecx
  leaq 0x40000004(%rcx), %rdx
  cmpq %rax, %rdx
  jnbe #trap=heap_oob
  uninit  %rsi
  xorq %rsi, %rsi
  movq 8(%rdi), %rdi
  leaq 0x40000000(%rdi, %rcx), %rcx
  cmpq %rax, %rdx
  cmovaq %rsi, %rcx
  movl (%rcx), %eax
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq

func 5
  pushq %rbp
  movq %rsp, %rbp
  movq (%rdi), %r10
  movq 0x18(%r10), %r10
  addq $0x10, %r10
  cmpq %rsp, %r10
  jnbe #trap=stk_ovf
block0:
  movq 0x40(%rdi), %r9
  movl %esi, %esi
  movl %ecx, %ecx
  leaq (%rsi, %rcx), %r10
  cmpq 8(%r9), %r10
  jnbe #trap=heap_oob
  addq 8(%rdi), %rsi
  call    User(userextname0)
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq

func 6
  pushq %rbp
  movq %rsp, %rbp
  movq (%rdi), %r10
  movq 0x18(%r10), %r10
  addq $0x20, %r10
  cmpq %rsp, %r10
  jnbe #trap=stk_ovf
  subq $0x10, %rsp
  movq %r14, (%rsp)
block0:
  movq %rsi, %rax
  uninit  %rsi
  xorl %esi, %esi
  movl %eax, %edx
  movq %rdi, %r14
  call    User(userextname0)
  movq 0x40(%r14), %r10
  movq 8(%r10), %r9
  jmp     label1
block1:
  shrq $0x10, %r9
  leal (%rax, %r9), %eax
  movq (%rsp), %r14
  addq $0x10, %rsp
  movq %rbp, %rsp
  popq %rbp
  retq
