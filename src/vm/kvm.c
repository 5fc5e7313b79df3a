// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Does KVM work here?
#include "vm/kvm.h"

#include "base/cleanup.h"
#include "vm/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/time.h>
#include <sys/wait.h>

#define PROBE_MS 3000
#define MEMORY_SIZE 0x10000
#define PML4_AT 0x1000
#define PDPT_AT 0x2000
#define PD_AT 0x3000
#define CODE_AT 0x4000
// 4 million instructions: some 2 ms of a processor, but 0.4 s of the emulator of a KVM that has no
// hardware behind it.
#define SPINS 2000000
#define SPIN_MS 100

// What failed in the child, in the order of trying; its exit status.
enum step {
	STEP_DONE,
	STEP_VERSION,
	STEP_VM,
	STEP_MEMORY,
	STEP_CPU,
	STEP_REGISTERS,
	STEP_RUN,
	STEP_SLOW,
	STEP_COUNT
};

static const char *const step_names[] = {
	[STEP_VERSION] = "it is no KVM device, or too old",
	[STEP_VM] = "it makes no virtual machine",
	[STEP_MEMORY] = "it takes no memory",
	[STEP_CPU] = "it makes no virtual CPU",
	[STEP_REGISTERS] = "it does not set a CPU's registers",
	[STEP_RUN] = "a virtual CPU does not run",
	[STEP_SLOW] =
		"it emulates the CPU instead of using the hardware's, which is slower than TCG",
};

// mov ecx, SPINS; 1: dec ecx; jnz 1b; hlt
static const uint8_t code[] = {
	0xb9, SPINS & 0xff, SPINS >> 8 & 0xff, SPINS >> 16 & 0xff, SPINS >> 24, 0xff, 0xc9, 0x75,
	0xfc, 0xf4,
};

// 64-bit mode, ring 0, the first 2 MiB mapped one to one: what a kernel runs in.
static void enter_long_mode(struct kvm_sregs *s)
{
	struct kvm_segment segment = {.limit = 0xffffffff,
				      .selector = 8,
				      .type = 11,
				      .present = 1,
				      .s = 1,
				      .l = 1,
				      .g = 1};

	s->cs = segment;
	segment.type = 3;
	segment.selector = 16;
	segment.l = 0;
	segment.db = 1;
	s->ds = s->es = s->fs = s->gs = s->ss = segment;
	s->cr3 = PML4_AT;
	s->cr4 = 1 << 5;                // PAE
	s->cr0 = 1u << 31 | 1 | 1 << 4; // PG, PE, ET
	s->efer = 1 << 8 | 1 << 10;     // LME, LMA
}

static void fill_memory(uint8_t *memory)
{
	static const uint64_t pml4 = PDPT_AT | 3, pdpt = PD_AT | 3, pd = 0x83; // 2 MiB page

	memcpy(memory + PML4_AT, &pml4, sizeof(pml4));
	memcpy(memory + PDPT_AT, &pdpt, sizeof(pdpt));
	memcpy(memory + PD_AT, &pd, sizeof(pd));
	memcpy(memory + CODE_AT, code, sizeof(code));
}

// Only to end the ioctl.
static void on_alarm(int number)
{
	(void)number;
}

static enum step run_cpu(int cpu, size_t run_size)
{
	struct kvm_regs regs = {.rflags = 2, .rip = CODE_AT, .rsp = MEMORY_SIZE};
	struct kvm_sregs sregs;
	struct kvm_run *run;
	struct itimerval limit = {.it_value.tv_usec = SPIN_MS * 1000};

	if (ioctl(cpu, KVM_GET_SREGS, &sregs) != 0)
		return STEP_REGISTERS;
	enter_long_mode(&sregs);
	if (ioctl(cpu, KVM_SET_SREGS, &sregs) != 0 || ioctl(cpu, KVM_SET_REGS, &regs) != 0)
		return STEP_REGISTERS;
	run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
	if (run == MAP_FAILED)
		return STEP_CPU;
	sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL);
	setitimer(ITIMER_REAL, &limit, NULL);
	if (ioctl(cpu, KVM_RUN, 0) != 0)
		return errno == EINTR ? STEP_SLOW : STEP_RUN;
	return run->exit_reason == KVM_EXIT_HLT ? STEP_DONE : STEP_RUN;
}

// Runs in the child, which ends right after: nothing is closed.
static enum step probe(int device)
{
	struct kvm_userspace_memory_region region = {.memory_size = MEMORY_SIZE};
	int vm, cpu, run_size;
	uint8_t *memory;

	if (ioctl(device, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return STEP_VERSION;
	vm = ioctl(device, KVM_CREATE_VM, 0);
	if (vm < 0)
		return STEP_VM;
	memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return STEP_MEMORY;
	fill_memory(memory);
	region.userspace_addr = (uint64_t)(uintptr_t)memory;
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) != 0)
		return STEP_MEMORY;
	cpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	run_size = ioctl(device, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (cpu < 0 || run_size < (int)sizeof(struct kvm_run))
		return STEP_CPU;
	return run_cpu(cpu, (size_t)run_size);
}

static int judge(const char *device, int status, struct gb_error *err)
{
	int step = WIFEXITED(status) ? WEXITSTATUS(status) : STEP_RUN;

	if (step == STEP_DONE)
		return 0;
	return gb_fail(err, GB_ELACKS,
		       "KVM (%s) does not work here: %s; on a virtual machine, switch nested "
		       "virtualisation on, or use --accel tcg",
		       device, step < STEP_COUNT ? step_names[step] : step_names[STEP_RUN]);
}

int gb_kvm_probe(const char *device, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd) int fd = open(device, O_RDWR | O_CLOEXEC), pidfd = -1;
	int status = 0;
	pid_t pid;

	if (fd < 0 && errno == EACCES)
		return gb_fail(
			err, GB_ELACKS,
			"you may not use KVM (%s); run: sudo adduser $USER kvm, log in again, or "
			"use --accel tcg",
			device);
	if (fd < 0)
		return gb_fail(
			err, GB_ELACKS,
			"there is no KVM here (%s: %s): switch virtualisation on in the firmware "
			"and run: sudo modprobe -a kvm-intel kvm-amd, or use --accel tcg",
			device, strerror(errno));
	pid = fork();
	if (pid == 0)
		_exit((int)probe(fd));
	if (pid < 0)
		return gb_fail_os(err, "cannot start a process to try KVM in");
	pidfd = pidfd_open(pid, 0);
	if (pidfd < 0 || gb_pidfd_wait(pidfd, PROBE_MS, NULL) != 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return judge(device, status, err);
}
