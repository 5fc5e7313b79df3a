// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Which members of which kernel structures we read: one table, resolved through BTF when a kernel is opened.
//
// An object is read as one copy of the bytes from the first to the last member of the table, so that
// its members are from one moment as far as that goes. Runs are the stretches of it that members
// fill: what lies between them changes without a meaning for us. Structures and members that a kernel does not
// have are absent, not an error, unless the row says NEED.
#pragma once

#include <stdint.h>

#define GB_NEED 1
#define GB_PLACE 2 // only where it lies is asked for: it is not among the values of an object

//	S(ID, "struct") begins a structure; M(ID, STRUCT, "path|older path", need) is one of its members
#define GB_MEMBERS(S, M) \
	S(TASK, "task_struct") \
	M(TASK_FLAGS, TASK, "flags", GB_NEED) \
	M(TASK_TASKS, TASK, "tasks", GB_NEED | GB_PLACE) \
	M(TASK_PID, TASK, "pid", GB_NEED) \
	M(TASK_TGID, TASK, "tgid", GB_NEED) \
	M(TASK_COMM, TASK, "comm", GB_NEED) \
	M(TASK_MM, TASK, "mm", GB_NEED) \
	M(TASK_STACK, TASK, "stack", GB_NEED) \
	M(TASK_REAL_PARENT, TASK, "real_parent", GB_NEED) \
	M(TASK_SIGNAL, TASK, "signal", GB_NEED) \
	M(TASK_THREAD_NODE, TASK, "thread_node", GB_NEED | GB_PLACE) \
	M(TASK_STATE, TASK, "__state|state", GB_NEED) \
	M(TASK_EXIT_STATE, TASK, "exit_state", GB_NEED) \
	M(TASK_REAL_CRED, TASK, "real_cred", GB_NEED) \
	M(TASK_FS, TASK, "fs", GB_NEED) \
	M(TASK_FILES, TASK, "files", GB_NEED) \
	M(TASK_START, TASK, "start_boottime|real_start_time", 0) \
	M(TASK_KTHREAD, TASK, "worker_private|set_child_tid", 0) \
	S(SIGNAL, "signal_struct") \
	M(SIGNAL_NR_THREADS, SIGNAL, "nr_threads", GB_NEED) \
	M(SIGNAL_THREAD_HEAD, SIGNAL, "thread_head", GB_NEED | GB_PLACE) \
	S(CRED, "cred") \
	M(CRED_EUID, CRED, "euid", GB_NEED) \
	S(FS, "fs_struct") \
	M(FS_ROOT_MNT, FS, "root.mnt", GB_NEED) \
	M(FS_ROOT_DENTRY, FS, "root.dentry", GB_NEED) \
	S(FILES, "files_struct") \
	M(FILES_FDT, FILES, "fdt", GB_NEED) \
	S(FDTABLE, "fdtable") \
	M(FDTABLE_MAX, FDTABLE, "max_fds", GB_NEED) \
	M(FDTABLE_FD, FDTABLE, "fd", GB_NEED) \
	S(KTHREAD, "kthread") \
	M(KTHREAD_FULL_NAME, KTHREAD, "full_name", 0) \
	M(KTHREAD_DATA, KTHREAD, "data", 0) \
	S(WORKER, "worker") \
	M(WORKER_POOL, WORKER, "pool", 0) \
	M(WORKER_DESC, WORKER, "desc", 0) \
	M(WORKER_CURRENT, WORKER, "current_work", 0) \
	M(WORKER_RESCUE, WORKER, "rescue_wq", 0) \
	S(WORKQUEUE, "workqueue_struct") \
	M(WORKQUEUE_NAME, WORKQUEUE, "name", 0) \
	S(MM, "mm_struct") \
	M(MM_MT, MM, "mm_mt.ma_root", 0) \
	M(MM_RB, MM, "mm_rb.rb_node", 0) \
	M(MM_MAP_COUNT, MM, "map_count", GB_NEED) \
	M(MM_PGD, MM, "pgd", GB_NEED) \
	M(MM_START_BRK, MM, "start_brk", GB_NEED) \
	M(MM_BRK, MM, "brk", GB_NEED) \
	M(MM_START_STACK, MM, "start_stack", GB_NEED) \
	M(MM_ARG_START, MM, "arg_start", GB_NEED) \
	M(MM_ARG_END, MM, "arg_end", GB_NEED) \
	M(MM_RSS, MM, "rss_stat", GB_PLACE) \
	M(MM_CONTEXT_FLAGS, MM, "context.flags", 0) \
	S(PERCPU_COUNTER, "percpu_counter") \
	M(PERCPU_COUNTER_COUNT, PERCPU_COUNTER, "count", 0) \
	M(PERCPU_COUNTER_COUNTERS, PERCPU_COUNTER, "counters", 0) \
	S(VMA, "vm_area_struct") \
	M(VMA_START, VMA, "vm_start", GB_NEED) \
	M(VMA_END, VMA, "vm_end", GB_NEED) \
	M(VMA_FLAGS, VMA, "vm_flags", GB_NEED) \
	M(VMA_PGOFF, VMA, "vm_pgoff", GB_NEED) \
	M(VMA_FILE, VMA, "vm_file", GB_NEED) \
	M(VMA_OPS, VMA, "vm_ops", GB_NEED) \
	M(VMA_PRIVATE, VMA, "vm_private_data", GB_NEED) \
	M(VMA_MM, VMA, "vm_mm", GB_NEED) \
	M(VMA_ANON_NAME, VMA, "anon_name", 0) \
	M(VMA_SHARED, VMA, "shared", GB_PLACE) \
	M(VMA_RB, VMA, "vm_rb", GB_PLACE) \
	S(RB_NODE, "rb_node") \
	M(RB_LEFT, RB_NODE, "rb_left", GB_NEED) \
	M(RB_RIGHT, RB_NODE, "rb_right", GB_NEED) \
	S(MAPLE_RANGE, "maple_range_64") \
	M(MAPLE_RANGE_PIVOT, MAPLE_RANGE, "pivot", 0) \
	M(MAPLE_RANGE_SLOT, MAPLE_RANGE, "slot", 0) \
	S(MAPLE_ARANGE, "maple_arange_64") \
	M(MAPLE_ARANGE_PIVOT, MAPLE_ARANGE, "pivot", 0) \
	M(MAPLE_ARANGE_SLOT, MAPLE_ARANGE, "slot", 0) \
	S(ANON_NAME, "anon_vma_name") \
	M(ANON_NAME_NAME, ANON_NAME, "name", 0) \
	S(SPECIAL, "vm_special_mapping") \
	M(SPECIAL_NAME, SPECIAL, "name", GB_NEED) \
	S(FILE, "file") \
	M(FILE_MNT, FILE, "f_path.mnt", GB_NEED) \
	M(FILE_DENTRY, FILE, "f_path.dentry", GB_NEED) \
	M(FILE_INODE, FILE, "f_inode", GB_NEED) \
	M(FILE_FLAGS, FILE, "f_flags", GB_NEED) \
	S(INODE, "inode") \
	M(INODE_INO, INODE, "i_ino", GB_NEED) \
	M(INODE_SB, INODE, "i_sb", GB_NEED) \
	M(INODE_ALIAS, INODE, "i_dentry", 0) \
	M(INODE_PRIVATE, INODE, "i_private", 0) \
	S(NS, "ns_common") \
	M(NS_KIND, NS, "ops", 0) \
	S(NS_OPS, "proc_ns_operations") \
	M(NS_OPS_NAME, NS_OPS, "name", 0) \
	S(DMABUF, "dma_buf") \
	M(DMABUF_NAME, DMABUF, "name", 0) \
	S(SUPER, "super_block") \
	M(SUPER_DEV, SUPER, "s_dev", GB_NEED) \
	M(SUPER_TYPE, SUPER, "s_type", GB_NEED) \
	S(FS_TYPE, "file_system_type") \
	M(FS_TYPE_NAME, FS_TYPE, "name", GB_NEED) \
	S(DENTRY, "dentry") \
	M(DENTRY_PARENT, DENTRY, "d_parent", GB_NEED) \
	M(DENTRY_NAME, DENTRY, "d_name.name", GB_NEED) \
	M(DENTRY_LEN, DENTRY, "d_name.len", GB_NEED) \
	M(DENTRY_HASH, DENTRY, "d_hash.pprev", GB_NEED) \
	M(DENTRY_OP, DENTRY, "d_op", GB_NEED) \
	M(DENTRY_FSDATA, DENTRY, "d_fsdata", 0) \
	M(DENTRY_INODE, DENTRY, "d_inode", GB_NEED) \
	M(DENTRY_ALIAS, DENTRY, "d_u.d_alias|d_alias", 0) \
	S(DENTRY_OPS, "dentry_operations") \
	M(DENTRY_OPS_DNAME, DENTRY_OPS, "d_dname", GB_NEED) \
	S(MOUNT, "mount") \
	M(MOUNT_PARENT, MOUNT, "mnt_parent", GB_NEED) \
	M(MOUNT_POINT, MOUNT, "mnt_mountpoint", GB_NEED) \
	M(MOUNT_MNT, MOUNT, "mnt", GB_NEED) \
	M(MOUNT_ROOT, MOUNT, "mnt.mnt_root", GB_NEED) \
	S(PAGE, "page") \
	M(PAGE_FLAGS, PAGE, "flags", GB_NEED) \
	M(PAGE_HEAD, PAGE, "compound_info|compound_head", GB_NEED) \
	M(PAGE_MAPPING, PAGE, "mapping", GB_NEED) \
	M(PAGE_TYPE, PAGE, "page_type", GB_NEED) \
	M(PAGE_REFCOUNT, PAGE, "_refcount", GB_NEED) \
	M(PAGE_PRIVATE, PAGE, "private", GB_NEED) \
	M(PAGE_LRU, PAGE, "lru", GB_NEED) \
	M(PAGE_SLAB_CACHE, PAGE, "slab_cache", 0) \
	S(SLAB, "slab") \
	M(SLAB_CACHE, SLAB, "slab_cache", 0) \
	S(ADDRESS_SPACE, "address_space") \
	M(ADDRESS_SPACE_HOST, ADDRESS_SPACE, "host", GB_NEED) \
	S(CACHE, "kmem_cache") \
	M(CACHE_NAME, CACHE, "name", GB_NEED) \
	S(SECTION, "mem_section") \
	M(SECTION_MAP, SECTION, "section_mem_map", 0) \
	S(PGDAT, "pglist_data") \
	M(PGDAT_ZONES, PGDAT, "node_zones", GB_NEED) \
	S(ZONE, "zone") \
	M(ZONE_PAGESETS, ZONE, "per_cpu_pageset", 0) \
	S(PAGESET, "per_cpu_pages") \
	M(PAGESET_LISTS, PAGESET, "lists", 0) \
	S(VMAP, "vmap_area") \
	M(VMAP_START, VMAP, "va_start", GB_NEED) \
	M(VMAP_END, VMAP, "va_end", GB_NEED) \
	M(VMAP_VM, VMAP, "vm", GB_NEED) \
	M(VMAP_LIST, VMAP, "list", GB_NEED) \
	S(VMAP_NODE, "vmap_node") \
	M(VMAP_NODE_BUSY, VMAP_NODE, "busy.head", 0) \
	S(VM, "vm_struct") \
	M(VM_CALLER, VM, "caller", GB_NEED) \
	S(MODULE, "module") \
	M(MODULE_LIST, MODULE, "list", 0) \
	M(MODULE_STATE, MODULE, "state", 0) \
	M(MODULE_NAME, MODULE, "name", 0) \
	M(MODULE_TAINTS, MODULE, "taints", 0) \
	M(MODULE_USERS, MODULE, "source_list", GB_PLACE) \
	M(MODULE_INIT, MODULE, "init", 0) \
	M(MODULE_EXIT, MODULE, "exit", 0) \
	M(MODULE_REFS, MODULE, "refcnt.counter", 0) \
	M(MODULE_INIT_LAYOUT, MODULE, "init_layout", GB_PLACE) \
	M(MODULE_MEM, MODULE, "mem", 0) \
	M(MODULE_CORE, MODULE, "core_layout", 0) \
	S(MODULE_MEMORY, "module_memory") \
	M(MODULE_MEMORY_BASE, MODULE_MEMORY, "base", 0) \
	M(MODULE_MEMORY_SIZE, MODULE_MEMORY, "size", 0) \
	S(MODULE_USE, "module_use") \
	M(MODULE_USE_LIST, MODULE_USE, "source_list", GB_PLACE) \
	M(MODULE_USE_SOURCE, MODULE_USE, "source", 0) \
	S(MODULE_LAYOUT, "module_layout") \
	M(MODULE_LAYOUT_BASE, MODULE_LAYOUT, "base", 0) \
	M(MODULE_LAYOUT_SIZE, MODULE_LAYOUT, "size", 0) \
	S(PRB, "printk_ringbuffer") \
	M(PRB_COUNT_BITS, PRB, "desc_ring.count_bits", 0) \
	M(PRB_DESCS, PRB, "desc_ring.descs", 0) \
	M(PRB_INFOS, PRB, "desc_ring.infos", 0) \
	M(PRB_HEAD, PRB, "desc_ring.head_id.counter", 0) \
	M(PRB_TAIL, PRB, "desc_ring.tail_id.counter", 0) \
	M(PRB_SIZE_BITS, PRB, "text_data_ring.size_bits", 0) \
	M(PRB_DATA, PRB, "text_data_ring.data", 0) \
	S(PRB_DESC, "prb_desc") \
	M(PRB_DESC_STATE, PRB_DESC, "state_var.counter", 0) \
	M(PRB_DESC_BEGIN, PRB_DESC, "text_blk_lpos.begin", 0) \
	M(PRB_DESC_NEXT, PRB_DESC, "text_blk_lpos.next", 0) \
	S(PRINTK_INFO, "printk_info") \
	M(PRINTK_SEQ, PRINTK_INFO, "seq", 0) \
	M(PRINTK_TIME, PRINTK_INFO, "ts_nsec", 0) \
	M(PRINTK_LEN, PRINTK_INFO, "text_len", 0) \
	M(PRINTK_FACILITY, PRINTK_INFO, "facility", 0) \
	M(PRINTK_CALLER, PRINTK_INFO, "caller_id", 0) \
	S(CPU, "cpuinfo_x86") \
	M(CPU_CAPABILITY, CPU, "x86_capability", 0)

enum gb_struct_id {
#define S(id, name) GB_S_##id,
#define M(id, in, path, need)
	GB_MEMBERS(S, M)
#undef S
#undef M
		GB_STRUCT_COUNT
};

enum gb_member_id {
#define S(id, name)
#define M(id, in, path, need) GB_M_##id,
	GB_MEMBERS(S, M)
#undef S
#undef M
		GB_MEMBER_COUNT
};

// Symbols whose addresses we use; absent ones are 0.
#define GB_SYMBOLS(X) \
	X(INIT_TASK, "init_task", GB_NEED) \
	X(BANNER, "linux_banner", GB_NEED) \
	X(INIT_TOP_PGT, "init_top_pgt", GB_NEED) \
	X(TEXT, "_text", GB_NEED) \
	X(ETEXT, "_etext", GB_NEED) \
	X(START_RODATA, "__start_rodata", GB_NEED) \
	X(END_RODATA, "__end_rodata", 0) \
	X(BSS_STOP, "__bss_stop", GB_NEED) \
	X(END, "_end", GB_NEED) \
	X(START_BTF, "__start_BTF", 0) \
	X(STOP_BTF, "__stop_BTF", 0) \
	X(INIT_BEGIN, "__init_begin", 0) \
	X(INIT_END, "__init_end", 0) \
	X(PAGE_OFFSET_BASE, "page_offset_base", 0) \
	X(VMEMMAP_BASE, "vmemmap_base", 0) \
	X(VMALLOC_BASE, "vmalloc_base", 0) \
	X(L5_ENABLED, "__pgtable_l5_enabled", 0) \
	X(PER_CPU_OFFSET, "__per_cpu_offset", 0) \
	X(NR_CPU_IDS, "nr_cpu_ids", 0) \
	X(BOOT_CPU, "boot_cpu_data", 0) \
	X(GATE_VMA, "gate_vma", 0) \
	X(VSYSCALL_MODE, "vsyscall_mode", 0) \
	X(SPECIAL_OPS, "special_mapping_vmops", 0) \
	X(SIMPLE_DNAME, "simple_dname", 0) \
	X(ANON_INODE_DNAME, "anon_inodefs_dname", 0) \
	X(PIPE_DNAME, "pipefs_dname", 0) \
	X(SOCK_DNAME, "sockfs_dname", 0) \
	X(DMABUF_DNAME, "dmabuffs_dname", 0) \
	X(NS_DNAME, "ns_dname", 0) \
	X(PIDFS_DNAME, "pidfs_dname", 0) \
	X(MEM_SECTION, "mem_section", 0) \
	X(CONTIG_PGDAT, "contig_page_data", 0) \
	X(NODE_DATA, "node_data", 0) \
	X(VMAP_LIST, "vmap_area_list", 0) \
	X(VMAP_NODES, "vmap_nodes", 0) \
	X(NR_VMAP_NODES, "nr_vmap_nodes", 0) \
	X(MODULES, "modules", 0) \
	X(PER_CPU_START, "__per_cpu_start", 0) \
	X(PCPU_UNIT_SIZE, "pcpu_unit_size", 0) \
	X(PRB, "prb", 0) \
	X(MAX_PFN, "max_pfn", 0) \
	X(MAX_LOW_PFN_MAPPED, "max_low_pfn_mapped", 0)

enum gb_symbol_id {
#define X(id, name, need) GB_Y_##id,
	GB_SYMBOLS(X)
#undef X
		GB_SYMBOL_COUNT
};

// Where things lie in this kernel.
struct gb_offsets {
	struct {
		int32_t from, to; // what of it is read; -1: no such structure
		uint32_t size;
		uint32_t run, runs; // first of its runs and their number
	} structs[GB_STRUCT_COUNT];
	struct {
		int32_t from, to;
	} runs[GB_MEMBER_COUNT];
	struct {
		int32_t at; // from the start of the structure; -1: absent
		uint32_t size;
	} members[GB_MEMBER_COUNT];
};

struct gb_btf;
struct gb_error;
// GB_EUNKNOWN names the first member that is needed and absent.
int gb_offsets_resolve(const struct gb_btf *btf, struct gb_offsets *ret, struct gb_error *err);
