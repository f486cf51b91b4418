# Probe ROM: does this accelerator run what a kernel does in its first milliseconds?
#
# Runs from the reset vector as `-bios`: real mode -> protected mode -> paging and long mode -> cpuid ->
# FPU state -> an exception through the IDT -> a counted loop. One letter per stage goes to isa-debugcon
# (port 0x402); the end is a write of 0x10 to isa-debug-exit (port 0x501), so QEMU exits with 0x10 << 1 | 1 = 33.
#
# GDT entries have their accessed bit set: the processor would otherwise write it into the ROM, and KVM's
# instruction emulator retries that write for ever. Intel SDM vol. 3A, 9.8.5 is the order of the mode switches.

        .set    DEBUGCON, 0x402
        .set    DEBUGEXIT, 0x501
        .set    ROM, 0xf0000            # where the 64 KiB below 1 MiB show this ROM
        .set    PML4, 0x1000
        .set    PDPT, 0x2000
        .set    PD, 0x3000
        .set    IDT, 0x4000
        .set    FPU, 0x5000
        .set    STACK, 0x8000
        .set    LOOPS, 20000000

        .macro  stage letter
        movw    $DEBUGCON, %dx
        movb    $\letter, %al
        outb    %al, %dx
        .endm

        .text
        .globl  _start
        .code16
_start:
        cli
        cld
        stage   'R'
        lgdtl   %cs:(gdtr - _start + CODE)
        movl    %cr0, %eax
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   $0x08, $(ROM + CODE + protected - _start)

        .code32
protected:
        movw    $0x18, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $STACK, %esp
        stage   'P'
        # Identity map of the first 2 MiB by one large page.
        xorl    %eax, %eax
        movl    $PML4, %edi
        movl    $0x1c00, %ecx           # PML4 up to STACK, in dwords
        rep stosl
        movl    $(PDPT + 3), PML4
        movl    $(PD + 3), PDPT
        movl    $0x83, PD
        movl    %cr4, %eax
        orl     $0x620, %eax            # PAE, OSFXSR, OSXMMEXCPT
        movl    %eax, %cr4
        movl    $PML4, %eax
        movl    %eax, %cr3
        movl    $0xc0000080, %ecx       # EFER
        rdmsr
        orl     $0x100, %eax            # LME
        wrmsr
        movl    %cr0, %eax
        andl    $0xfffffffb, %eax       # EM off
        orl     $0x80000002, %eax       # PG, MP
        movl    %eax, %cr0
        ljmpl   $0x10, $(ROM + CODE + long - _start)

        .code64
long:
        stage   'L'
        xorl    %eax, %eax
        cpuid
        movl    $1, %eax
        xorl    %ecx, %ecx
        cpuid
        movl    %ecx, %ebp
        stage   'C'
        fninit
        fxsave64 FPU
        fxrstor64 FPU
        btl     $26, %ebp               # XSAVE
        jnc     1f
        movq    %cr4, %rax
        orq     $0x40000, %rax          # OSXSAVE
        movq    %rax, %cr4
        movl    $3, %eax                # x87 and SSE state, which every XSAVE has
        xorl    %edx, %edx
        xorl    %ecx, %ecx
        xsetbv
        xsave64 FPU
        xrstor64 FPU
1:      stage   'F'
        # Vector 3 of the IDT: a present 64-bit interrupt gate.
        movl    $(ROM + CODE + breakpoint - _start), %eax
        movw    %ax, IDT + 3 * 16
        movw    $0x10, IDT + 3 * 16 + 2
        movw    $0x8e00, IDT + 3 * 16 + 4
        shrl    $16, %eax
        movw    %ax, IDT + 3 * 16 + 6
        lidt    ROM + CODE + idtr - _start
        xorl    %ebx, %ebx
        int3
        cmpl    $0x600d, %ebx
        jne     stuck
        stage   'I'
        movl    $LOOPS, %ecx
2:      decl    %ecx
        jnz     2b
        stage   'T'
        movw    $DEBUGEXIT, %dx
        movb    $0x10, %al
        outb    %al, %dx
stuck:  hlt
        jmp     stuck

breakpoint:
        movl    $0x600d, %ebx
        iretq

        .balign 8
gdt:    .quad   0
        .quad   0x00cf9b000000ffff      # 0x08: 32-bit code
        .quad   0x00af9b000000ffff      # 0x10: 64-bit code
        .quad   0x00cf93000000ffff      # 0x18: data
gdtr:   .word   gdtr - gdt - 1
        .long   ROM + CODE + gdt - _start
idtr:   .word   4 * 16 - 1
        .quad   IDT

        .set    CODE, 0xfe00            # offset of this code in the ROM
        .org    0x1f0
        .code16
        ljmpw   $0xf000, $CODE          # the reset vector, 16 bytes below 4 GiB
        .org    0x200
