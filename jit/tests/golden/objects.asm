func 0
  pushq %rbp
  movq %rsp, %rbp
  movq (%rdi), %r10
  movq 0x18(%r10), %r10
  addq $0x30, %r10
  cmpq %rsp, %r10
  jnbe #trap=stk_ovf
  subq $0x20, %rsp
  movq %rbx, 0x10(%rsp)
  movq %r12, 0x18(%rsp)
block0:
  movq %rsi, %r12
  movdqu %xmm0, <offset:1>+(%rsp)
  movq (%rdi), %rcx
  movl 0x88(%rcx), %eax
  movl 0x8c(%rcx), %edx
  subl %eax, %edx
  cmpl $0x18, %edx
  jnb     label2; j label1
block2:
  movq %rdi, %rbx
  leal 0x18(%rax), %edx
  movl %edx, 0x88(%rcx)
  movq 0x10(%rbx), %rcx
  movl (%rcx), %ecx
  shll $0x2, %ecx
  orl $0x1, %ecx
  movq 0x28(%rbx), %rdx
  movl %eax, %esi
  movq %rcx, (%rdx, %rsi)
  jmp     label3
block3:
  movq 0x28(%rbx), %rcx
  movl %eax, %edx
  movq %r12, %rsi
  movl %esi, 4(%rcx, %rdx)
  movdqu <offset:1>+(%rsp), %xmm0
  movsd %xmm0, 8(%rcx, %rdx)
  movl $0x7, %esi
  movb %sil, 0x10(%rcx, %rdx)
  jmp     label4
block4:
  movq 0x10(%rsp), %rbx
  movq 0x18(%rsp), %r12
  addq $0x20, %rsp
  movq %rbp, %rsp
  popq %rbp
  retq
block1:
  movq 0x10(%rdi), %rax
  movl (%rax), %esi
  shll $0x2, %esi
  orl $0x1, %esi
  movl $0x18, %edx
  movq %rdi, %rbx
  call    User(userextname0)
  jmp     label3

func 1
  pushq %rbp
  movq %rsp, %rbp
block0:
  testl %esi, %esi
  jz #trap=user11
  movq 0x28(%rdi), %rdi
  movl %esi, %r8d
  movsbq 0x10(%rdi, %r8), %rax
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq

func 2
  pushq %rbp
  movq %rsp, %rbp
block0:
  testl %esi, %esi
  jz #trap=user12
  movq 0x28(%rdi), %rdi
  movl %esi, %esi
  leaq (%rdi, %rsi), %rax
  movl 4(%rdi, %rsi), %esi
  cmpl %esi, %edx
  jnb #trap=user14
  movl %edx, %edi
  leaq (%rax, %rdi), %rdi
  cmpl %esi, %edx
  cmovaeq %rax, %rdi
  movb %cl, 8(%rdi)
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq

func 3
  pushq %rbp
  movq %rsp, %rbp
block0:
  movq %rsi, %rax
  uninit  %rsi
  xorl %esi, %esi
  testl %eax, %eax
  jnz     label2; j label1
block1:
  jmp     label7
block2:
  uninit  %rsi
  xorl %esi, %esi
  testl $0x3, %eax
  jnz     label3; j label4
block3:
  jmp     label7
block4:
  movq 0x28(%rdi), %rcx
  movl %eax, %eax
  movl (%rcx, %rax), %eax
  movq 0x10(%rdi), %rcx
  movl (%rcx), %ecx
  movq %rcx, %rdx
  shll $0x2, %edx
  orl $0x1, %edx
  cmpl %edx, %eax
  sete %sil
  cmpl %edx, %eax
  jz      label5; j label6
block5:
  jmp     label7
block6:
  movq (%rdi), %rdx
  movq 0x78(%rdx), %rdx
  shrl $0x2, %eax
  shlq $0x6, %rax
  movl 8(%rdx, %rax), %eax
  cmpl %ecx, %eax
  sete %sil
  jmp     label7
block7:
  jmp     label8
block8:
  movzbl %sil, %eax
  movq %rbp, %rsp
  popq %rbp
  retq

func 4
  pushq %rbp
  movq %rsp, %rbp
block0:
  movq %rdi, %rax
  movl $0x1, %edi
  testl %esi, %esi
  jnz     label2; j label1
block1:
  jmp     label5
block2:
  uninit  %rdi
  xorl %edi, %edi
  testl $0x3, %esi
  jnz     label3; j label4
block3:
  jmp     label5
block4:
  movq %rax, %rdi
  movq 0x28(%rdi), %rax
  movl %esi, %ecx
  movl (%rax, %rcx), %eax
  movq 0x10(%rdi), %rcx
  movl 4(%rcx), %ecx
  shll $0x2, %ecx
  orl $0x1, %ecx
  cmpl %ecx, %eax
  sete %dil
  jmp     label5
block5:
  testb %dil, %dil
  jz #trap=user15
  jmp     label6
block6:
  movq %rsi, %rax
  movq %rbp, %rsp
  popq %rbp
  retq

func 5
  pushq %rbp
  movq %rsp, %rbp
block0:
  testl %esi, %esi
  jz #trap=user13
  jmp     label1
block1:
  movq %rsi, %rax
  sarl $1, %eax
  movq %rbp, %rsp
  popq %rbp
  retq

func 6
  pushq %rbp
  movq %rsp, %rbp
  movq (%rdi), %r10
  movq 0x18(%r10), %r10
  addq $0x30, %r10
  cmpq %rsp, %r10
  jnbe #trap=stk_ovf
  subq $0x20, %rsp
block0:
  movl %esi, %eax
  leaq <offset:1>+(%rsp), %rsi
  movq %rax, <offset:1>+(%rsp)
  movl %edx, %eax
  movq %rax, <offset:1>+8(%rsp)
  movq $0x0, <offset:1>+0x10(%rsp)
  movl %ecx, %eax
  movq %rax, <offset:1>+0x18(%rsp)
  movq 0x10(%rdi), %rax
  movl 8(%rax), %edx
  uninit  %rcx
  xorl %ecx, %ecx
  call    User(userextname0)
  jmp     label1
block1:
  addq $0x20, %rsp
  movq %rbp, %rsp
  popq %rbp
  retq
